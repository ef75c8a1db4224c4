"""What is otherwise between two runs: what a revalidation asks, and whether the newer one is worse.

The law: *worse* is said of the rows and of the outcome alone. A figure that is larger, another limit or another version
is told, and decides nothing: within their limits figures differ from run to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from brokercert_reports.text import quantity
from brokercert_reports.view import budgets

from brokercert.engine.ask.given import is_folder, read_given
from brokercert.engine.errors import UsageError
from brokercert.engine.run.believed import believed
from brokercert.parcel.archive import Archive
from brokercert.parcel.pack import RECORD, read_run
from brokercert.parcel.status import BundleError
from brokercert.verdict import Outcome, RowResult, RunRecord, Verdict, severity

MOST_WORDS = 2**28  # bytes of a run.json
ZIP = b"PK"
CERTIFIED = "is what is certified"
# The best first: what an outcome is worth to whoever asks for a certificate.
WORTH = (Outcome.CERTIFIED, Outcome.INCOMPLETE, Outcome.INTERRUPTED, Outcome.HARNESS_ERROR, Outcome.FAILED)


@dataclass(frozen=True)
class Change:
    """One thing that is otherwise. `area`: rows, figures, limits and so on; `worse`: the newer run is worse by it."""

    area: str
    name: str
    old: str
    new: str
    worse: bool = False


def read_any(given: Path) -> RunRecord:
    """The record of a run from its folder, its run.json, or a bundle: read as it stands, and held against itself alone.

    Raises `UsageError`.
    """
    if is_folder(given) or not read_given(given, "a run's folder, its run.json, or a bundle").startswith(ZIP):
        return read_run(given)[1]
    try:
        with given.open("rb") as file:
            archive = Archive(file)
            if RECORD not in archive.entries:
                raise BundleError(f"{RECORD}: it is missing")
            data = archive.read(RECORD, MOST_WORDS)
    except BundleError as error:
        raise UsageError(f"{given}: {error}; expected a bundle; `brokercert verify` says more") from error
    return believed(given, data)


def changes(old: RunRecord, new: RunRecord) -> tuple[Change, ...]:
    """What is otherwise, rows first. Raises `UsageError` for runs of different sets, which have nothing to compare."""
    if old.set_id != new.set_id:
        raise UsageError(f"a run of {old.named} and one of {new.named}: expected two runs of one set")
    return (
        *_outcome(old, new),
        *_rows(old, new),
        *_asking(old, new),
        *_pairs("figure", _figures(old), _figures(new)),
        *_pairs("limit", _limits(old), _limits(new)),
        *_pairs("declared absent", _absent(old), _absent(new)),
        *_pairs("reading", old.subject.readings, new.subject.readings),
        *_pairs("client", _client(old), _client(new)),
        *_pairs("asked", _asked(old), _asked(new)),
        *_pairs("tool and set", _tool(old), _tool(new)),
        *_pairs("machine", old.environment, new.environment),
    )


def _outcome(old: RunRecord, new: RunRecord) -> Iterator[Change]:
    if old.outcome is not new.outcome:
        worse = WORTH.index(new.outcome) > WORTH.index(old.outcome)
        yield Change("outcome", "outcome", old.outcome.value, new.outcome.value, worse)


def _rows(old: RunRecord, new: RunRecord) -> Iterator[Change]:
    before, after = ({row.id: row for row in run.rows} for run in (old, new))
    for ident in dict.fromkeys((*before, *after)):
        one, other = before.get(ident), after.get(ident)
        if one is None or other is None or one.verdict is not other.verdict:
            yield Change("row", ident, _verdict(one), _verdict(other), _is_worse(one, other))


def _asking(old: RunRecord, new: RunRecord) -> Iterator[Change]:
    """What is asked by a row that both runs have. One that was shown, and is certified no more, is worse."""
    after = {row.id: row for row in new.rows}
    for row in old.rows:
        if row.id not in after:
            continue
        lost = row.in_part and not after[row.id].in_part and row.verdict in (Verdict.PASS, Verdict.WARNING)
        for one in _pairs("what a row asks", _asks(row), _asks(after[row.id])):
            yield replace(one, name=f"{row.id}, {one.name}", worse=lost and one.name == CERTIFIED)


def _verdict(row: RowResult | None) -> str:
    return "no such row" if row is None else row.verdict.value


def _is_worse(old: RowResult | None, new: RowResult | None) -> bool:
    """A row that passed and is not shown any more is worse. One that neither run certifies decides nothing."""
    if new is None or not (new.in_part or (old is not None and old.in_part)):
        return False
    if old is None:
        return new.verdict is Verdict.FAIL
    if Verdict.NOT_APPLICABLE in (old.verdict, new.verdict):
        return new.verdict is Verdict.NOT_APPLICABLE and old.verdict in (Verdict.PASS, Verdict.WARNING)
    return severity(new.verdict, new.level) < severity(old.verdict, old.level)


def _asks(row: RowResult) -> dict[str, str]:
    return {"level": row.level.value, "text": row.text, CERTIFIED: "yes" if row.in_part else "no"}


def _figures(run: RunRecord) -> dict[str, str]:
    """The worst of each, beside what it is bounded by."""
    found: dict[str, str] = {}
    for one in budgets(run):
        limit = "" if one.worst.limit is None else f" (limit {quantity(one.worst.limit, one.worst.unit)})"
        found[f"{one.row.id}, {one.worst.name}"] = f"{quantity(one.worst.value, one.worst.unit)}{limit}"
    return found


def _limits(run: RunRecord) -> dict[str, str]:
    return {one.name: quantity(one.value, one.unit) for one in run.limits}


def _absent(run: RunRecord) -> dict[str, str]:
    return {one.name: one.reason for one in run.subject.absent}


def _client(run: RunRecord) -> dict[str, str]:
    subject = run.subject
    return {
        "name": subject.name,
        "version": subject.build.version,
        "commit": subject.build.commit,
        **{f"sha256 of {name}": digest for name, digest in subject.build.files.items()},
        "level shown": subject.level,
        "what it opens": run.shape,
        "entity types": ", ".join(subject.entity_types),
    }


def _asked(run: RunRecord) -> dict[str, str]:
    return {
        "part": run.part or "the whole set",
        "rows": ", ".join(run.selected) or "all",
        "strict": "yes" if run.strict else "no",
        "tier": run.tier,
        "seed": str(run.seed),
        "challenge": run.challenge,
    }


def _tool(run: RunRecord) -> dict[str, str]:
    return {"tool": run.tool, "set version": run.set_version, "set sha256": run.set_hash, "toxiproxy": run.toxiproxy}


def _pairs(area: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        one, other = old.get(name, ""), new.get(name, "")
        if one != other:
            yield Change(area, name, one or "none", other or "none")


def is_worse(found: Sequence[Change]) -> bool:
    """Whether the newer run is worse: by its outcome, or by a row."""
    return any(one.worse for one in found)
