"""Many seeds, on all cores or a cluster; and what becomes of a seed that fails: a scenario file, and a trace.

The law: a seed's result depends on nothing but the seed, the client and how long is played, so that it is the same
whichever process plays it. Of the seeds that break an invariant, the first is shrunk and saved.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from brokercert_mock.port.recorder import Recorder

from brokercert.engine.ask.named import callable_named
from brokercert.engine.client.subject import Subject, SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import Scenario
from brokercert.engine.run.request import RunRequest, header_of
from brokercert.matrix.subjects import REFERENCE, insiders, subject_named
from brokercert.requirements import load_set
from brokercert.simulation.play import Played, play
from brokercert.simulation.schedule import Schedule, save, schedule_of
from brokercert.simulation.shrink import TRIES, shrink
from brokercert.simulation.watch import Breach
from brokercert.trace import TraceWriter

OFFERS = frozenset({"wire", "stop", "report", "snapshot", "request"})  # of a class that takes commands


@dataclass(frozen=True, slots=True)
class Seed:
    """A seed to be played. It names things only, so that it can go to another process."""

    set_id: str
    client: str
    seed: int
    seconds: float
    faults: float = 200.0  # an hour

    def schedule(self) -> Schedule:
        return schedule_of(self.seed, seconds=self.seconds, faults=self.faults)


def play_seed(seed: Seed) -> Played:
    """Called in workers."""
    gc.freeze()  # what was imported is not looked at again by every collection: a tenth of the time
    return play(seed.schedule(), client_named(seed.set_id, seed.client, seed.seed), seed.set_id)


def client_named(set_id: str, name: str, seed: int) -> SubjectSpec:
    """`reference`, a mutant's name, or `MODULE:FACTORY` of a class of this process.

    Raises `UsageError`.
    """
    if name == REFERENCE or name in insiders(set_id):
        return subject_named(set_id, name, seed)
    expected = (
        f"expected {REFERENCE}, a mutant (`brokercert matrix` knows them), or MODULE:FACTORY, as in bot.ws:Client"
    )
    if ":" not in name:
        raise UsageError(f"--client {name}: no such client; {expected}")
    factory = callable_named("--client", name, expected)

    def made(env: Mapping[str, str], output: Callable[[str], None]) -> Subject:
        client: Subject = factory(env, output)
        return client

    return SubjectSpec(name, factory=made, level="in process", offers=OFFERS)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A failing seed as short as it gets, and where it was saved."""

    schedule: Schedule
    breach: Breach
    tries: int
    file: Path
    trace: Path


def shrink_seed(seed: Seed, played: Played, folder: Path, tries: int = TRIES) -> Shrunk:
    """Shrink a seed that failed, and save it in `folder` as a scenario file beside its trace."""
    breach = played.breach
    assert breach is not None
    spec = client_named(seed.set_id, seed.client, seed.seed)
    count = 0

    def fails(tried: Schedule) -> bool:
        nonlocal count
        count += 1
        return play(tried, spec, seed.set_id).same_breach(breach)

    short = shrink(seed.schedule(), played.events, fails, tries)
    stem = f"{seed.client}-{breach.invariant}".replace(":", "-").replace("/", "-")
    trace = folder / f"{stem}.jsonl"
    again = play_recorded(short, spec, seed.set_id, trace)
    last = again.breach or breach
    file = folder / f"{stem}.json"
    save(file, short, set_id=seed.set_id, client=seed.client, breach=last.invariant, detail=last.text)
    return Shrunk(short, last, count, file, trace)


async def _by_schedule(_: object) -> None:
    raise NotImplementedError("a simulation is played by its schedule, on no stage")


def play_recorded(schedule: Schedule, spec: SubjectSpec, set_id: str, path: Path) -> Played:
    """Play a schedule, and write the trace of all that the broker saw."""
    rows = load_set(set_id)
    writers: list[TraceWriter] = []

    def also(began: float) -> Recorder:
        request = RunRequest(set_id, spec, seed=schedule.seed, tier="virtual")
        scenario = Scenario("simulation", "Random order flow under random faults", (), _by_schedule)
        header = header_of(scenario, request, rows, "simulation", None)
        writers.append(TraceWriter(path, header, began=began))
        return writers[-1]

    try:
        return play(schedule, spec, set_id, also)
    finally:
        for writer in writers:
            writer.close()
