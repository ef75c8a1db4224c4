"""What happens in a simulation, as data: a schedule, drawn from a seed, saved as a file, and played again from it.

The law: an event says what is done and two numbers, and never whom it will meet: those choose among what there is when
it comes. So every part of a schedule is a schedule too, which is what makes a failing one shrink.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from brokercert.engine.errors import UsageError

KIND = "simulation"
FORMAT = 1
CENTI = 100  # events lie on hundredths of a second
LONGEST_GAP = 120 * CENTI
MOST = 99  # `who` and `size` are 0 to this

# The simplest first: a shrunk schedule is made of the first that will do.
WAIT = "wait"
FLOW = {
    WAIT: 0,
    "place": 8,
    "fill": 8,
    "cancel": 3,
    "modify": 3,
    "reject": 1,
    "expire": 1,
    "delete": 1,
    "flat": 1,
    "pause": 1,
    "resume": 2,
    "refuse": 1,
    "ask place": 6,
    "ask cancel": 3,
    "ask modify": 3,
}
MILD = {
    "events twice": 6,
    "events as arrays": 2,
    "answer late": 2,
    "answer never": 1,
    "order ticket": 2,
}
ROUGH = {
    "sync ticket": 2,
    "authorize late": 2,
    "snapshot late": 2,
    "reset": 4,
    "fin": 3,
    "close": 3,
    "protocol close": 2,
    "shutdown": 1,
    "cut in a frame": 1,
    "reset after a request": 2,
    "deaf": 2,
    "silence": 2,
    "dead": 2,
    "accept and close": 1,
    "upgrade refused": 1,
    "port closed": 1,
}
FAULTS = MILD | ROUGH
CHECK = "check"
WHAT = (*FLOW, *FAULTS, CHECK)


class Event(msgspec.Struct, frozen=True, array_like=True):
    """`after` the event before it, in hundredths of a second, this is done; `who` and `size` choose what with."""

    after: int
    do: str
    who: int = 0
    size: int = 0


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation. `seed` draws the broker's accounts and tokens and what the client draws; `shards` is what a client
    is told that can shard. It ends with a check, whatever its events are.
    """

    seed: int
    events: tuple[Event, ...]
    shards: int = 1

    @property
    def seconds(self) -> float:
        """Of the events; checks take their own time on top."""
        return sum(event.after for event in self.events) / CENTI

    @property
    def faults(self) -> int:
        return sum(event.do in FAULTS for event in self.events)


def schedule_of(
    seed: int, *, seconds: float, faults: float = 200.0, orders: float = 720.0, check_every: float = 300.0
) -> Schedule:
    """The schedule of a seed: so many seconds, with so many faults and things that happen to orders an hour (200 and
    720: a fault each 18 s, more often than most clients' ladders start again; and an event each 5 s). In every other
    seed most faults leave the sockets alone: each loss mends what a client believes, by the snapshot that follows.
    """
    rng = Random(seed)
    rate = (faults + orders) / 3600
    calm = rng.random() < 0.5
    trouble = {do: weight / 8 if calm and do in ROUGH else weight for do, weight in FAULTS.items()}
    events: list[Event] = []
    now, checked = 0, 0
    while rate:
        gap = min(round(rng.expovariate(rate) * CENTI), LONGEST_GAP)
        if now + gap > seconds * CENTI:
            break
        now += gap
        table: dict[str, float] = trouble if rng.random() * (faults + orders) < faults else dict(FLOW)
        do = rng.choices(list(table), list(table.values()))[0]
        events.append(Event(gap, do, rng.randint(0, MOST), rng.randint(0, MOST)))
        # Right after a fault where there are any: so that each kind is the last one before some check.
        if now - checked > check_every * CENTI and (table is trouble or not faults):
            events.append(Event(0, CHECK))
            checked = now
    return Schedule(seed=seed, events=tuple(events), shards=rng.choice([1, 1, 2, 3]))


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario file. `client` is the name by which it is found again: `reference`, a mutant, `module:factory`."""

    kind: str
    format: int
    tool: str
    set: str
    client: str
    breach: str
    detail: str
    schedule: Schedule


def save(path: Path, schedule: Schedule, *, set_id: str, client: str, breach: str, detail: str) -> None:
    """Write a scenario file. `breach` is the invariant that it breaks."""
    document = Saved(
        kind=KIND,
        format=FORMAT,
        tool=f"brokercert {version('brokercert')}",
        set=set_id,
        client=client,
        breach=breach,
        detail=detail,
        schedule=schedule,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def load(path: Path) -> Saved:
    """Read a scenario file. Raises `UsageError`."""
    expected = "expected a scenario file, as `brokercert simulate` saves it"
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=Saved)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; {expected}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; {expected}") from error
    if saved.kind != KIND or saved.format != FORMAT:
        raise UsageError(f"{path}: kind {saved.kind!r}, format {saved.format}; {expected} (format {FORMAT})")
    for problem in _problems(saved.schedule):
        raise UsageError(f"{path}: {problem}")
    return saved


def _problems(schedule: Schedule) -> Iterator[str]:
    if not 1 <= schedule.shards <= 50:
        yield f"shards is {schedule.shards}; expected 1 to 50"
    for number, event in enumerate(schedule.events, 1):
        if event.do not in WHAT:
            yield f"event {number}: {event.do!r} cannot be done; expected one of {', '.join(WHAT)}"
        if not 0 <= event.after <= LONGEST_GAP or not 0 <= event.who <= MOST or not 0 <= event.size <= MOST:
            yield (
                f"event {number}: {list(msgspec.structs.astuple(event))!r}; expected 0 to {LONGEST_GAP} hundredths of a"
                f" second, and two numbers from 0 to {MOST}"
            )


def shown(schedule: Schedule) -> list[str]:
    """A line for each event, for a reader."""
    lines, now = [], 0
    for event in schedule.events:
        now += event.after
        lines.append(f"{now / CENTI:9.2f} s  {event.do} ({event.who}, {event.size})")
    return lines


def is_scenario(path: Path) -> bool:
    """Whether a file says that it is one; nothing is said of one that cannot be read."""
    try:
        document: Any = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(document, dict) and document.get("kind") == KIND
