"""Judges saved traces: the network gone, the client's sources deleted, the same verdicts.

The law: what a row is owed is listed from the suite, never from the traces that happen to be there, so that a trace
that was taken away leaves its rows *untested*. What the run was asked for, and what its client lacks, stands in the
traces' headers (and in `run.json`), so that rows and outcome are those of the run.
"""

from __future__ import annotations

import datetime
import hashlib
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from msgspec import structs

from brokercert.engine.ask.given import is_file
from brokercert.engine.client.ended import how_it_ended
from brokercert.engine.client.lastwords import last_lines
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import Scenario, Suite, load_dialect
from brokercert.engine.run.again import may_follow
from brokercert.engine.run.judgements import findings_of, named
from brokercert.engine.run.owed import Owed, notes_of, what_is_owed
from brokercert.engine.run.plan import of_part
from brokercert.engine.run.record import Circumstances, Evidence, Playing, gathered, playing_of
from brokercert.engine.run.request import moment
from brokercert.engine.run.saved import (
    Asking,
    Saved,
    asking_of,
    refuse_altered,
    saved_traces,
    set_of,
    trace_files,
    wanted_of,
)
from brokercert.judge import has_excerpt, never_came
from brokercert.judge.excerpt import excerpt
from brokercert.judge.plays import is_touched
from brokercert.judge.rows import Excerpting
from brokercert.parallel import Workers, in_order
from brokercert.requirements import RequirementError, RequirementSet, load_set
from brokercert.trace import Trace, TraceError, read_trace
from brokercert.trace import records as r
from brokercert.verdict import Absent, Excerpt, RowResult, RunRecord, ScenarioResult, SubjectInfo

LITTLE = 100_000_000  # bytes of traces: two seconds of judging, which is what two workers save once they have started
NOT_JUDGED = "it was not judged any more: judging was interrupted"


@dataclass(frozen=True, slots=True)
class Share:
    """A trace to be judged by a set whose limits `changed` replaces."""

    path: Path
    set_id: str
    changed: dict[str, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """What one trace supports; `wrong`: why it is none, and then there is nothing else."""

    wrong: str = ""
    playing: Playing | None = None
    excerpts: tuple[Excerpt | None, ...] = ()  # beside the findings
    cut: bool = False
    told_its_end: bool = False  # though it was cut: its run ended it, and was not killed
    never_came: bool = False  # it is the preflight, and with it the run was over


@lru_cache(maxsize=4)
def _loaded(set_id: str) -> RequirementSet:
    return load_set(set_id)


def judge_share(share: Share) -> Judged:
    """Read and judge one trace. Called in workers; what is wrong with a file is told, so that the first is named."""
    try:
        trace = read_trace(share.path)
    except TraceError as error:
        return Judged(wrong=str(error))
    rows = _loaded(share.set_id).with_limits(share.changed)
    judging = load_dialect(share.set_id).judging
    findings = findings_of(trace, rows, judging)
    return Judged(
        playing=playing_of(_played(share.path, trace), trace, findings, judging, rows),
        excerpts=tuple(
            excerpt(trace, one.evidence, one.about, judging.told_of) if has_excerpt(one) else None for one in findings
        ),
        cut=trace.truncated or _state(trace) == "interrupted",
        told_its_end=bool(trace.records) and isinstance(trace.records[-1], r.Finished) and not trace.truncated,
        never_came=never_came(trace, findings, rows),
    )


def is_little(paths: Sequence[Path]) -> bool:
    """Whether judging them takes less than to start workers for it."""
    return sum(path.stat().st_size for path in trace_files(paths) if is_file(path)) < LITTLE


def judge_traces(
    paths: Sequence[Path],
    set_name: str | None = None,
    *,
    part: str | None = None,
    only: Sequence[str] | None = None,
    strict: bool | None = None,
    make: Workers | None = None,
) -> RunRecord:
    """Judge traces of one run. The limits are those recorded in the traces; part, rows and strictness those of the run
    where they are None. Raises `UsageError`.

    The same whatever does the work (`make`: `brokercert.parallel`). Ctrl-C ends it with what was judged up to then.
    """
    saved = saved_traces(paths)
    rows = set_of(saved, set_name)
    changed = {k: v for k, v in saved.header.limits.items() if k in rows.limits and rows.limits[k].value != v}
    try:
        rows = rows.with_limits(changed)
    except RequirementError as error:
        raise UsageError(f"{saved.files[0]}: {error}; expected a trace as its run wrote it") from error
    wanted = wanted_of(saved, rows)
    asking = asking_of(saved, rows, part, only, strict)
    owed = what_is_owed(saved, rows, wanted, asking.asked)

    done = in_order(judge_share, [Share(path.absolute(), rows.id, changed) for path in saved.files], make)
    judged = [one or Judged() for one in done.results]  # an empty one: it was not judged any more
    wrong = next((one.wrong for one in judged if one.wrong), "")
    if wrong:
        raise UsageError(wrong)
    if saved.record is not None:
        found = ((path, one.playing.result) for path, one in zip(saved.files, judged, strict=True) if one.playing)
        refuse_altered(saved, found)
    words = ("brokercert", "judge", *asking.words, *map(str, paths))
    return gathered(_evidence(saved, owed, asking, judged, done.interrupted, shlex.join(words)))


def _evidence(
    saved: Saved, owed: Owed, asking: Asking, judged: Sequence[Judged], interrupted: bool, again: str
) -> Evidence:
    """`interrupted`: the judging was. `again`: the command that asks for the same."""
    header = saved.header
    over = any(one.never_came for one in judged)
    early = saved.record.ended_early if saved.record is not None else ""
    cut = [path for path, one in zip(saved.files, judged, strict=True) if one.cut and not (early and one.told_its_end)]
    unplayed, missing = owed.unplayed(over), owed.missing(over)
    same = not asking.words and not (interrupted or cut or saved.was_interrupted)

    def opening(results: Sequence[RowResult]) -> Iterable[str]:
        yield from notes_of(saved, owed.rows, cut, missing, interrupted, results if same else ())
        yield from filter(None, [early])
        if saved.record is None:
            yield from _perhaps_played_again(judged, asking.asked.only or of_part(owed.rows, asking.asked.part))

    return Evidence(
        rows=owed.rows,
        suite=owed.suite,
        manifest=header.manifest,
        asked=asking.asked,
        subject=_subject(header),
        offers=header.offers,
        made=Circumstances(
            run_id=header.run.get("run_id", "judged"),
            started=moment(datetime.datetime.now(datetime.UTC)),
            tier=header.tier,
            seed=header.seed,
            challenge=header.challenge,
            toxiproxy="see the traces",
            environment={"judged": "offline, from saved traces", "recorded by": header.tool},
        ),
        playings=_playings(saved, owed.suite, judged),
        unplayed=unplayed,
        owed=owed.listed(unplayed, missing),
        excerpt_of=_excerpts(judged),
        reproduce=lambda row: again,
        again=again,
        never_came=over,
        interrupted=interrupted or bool(cut) or saved.was_interrupted,
        missing=missing,
        doubt=saved.doubt,
        waivers=saved.waivers,
        ended_early=early,
        opening=opening,
    )


def _perhaps_played_again(judged: Sequence[Judged], asked: Collection[str]) -> Iterator[str]:
    """What nobody can tell without the run's record: whether the last playing that is there was the last one. A gap
    in their numbers is seen, but not one at their end.
    """
    last: dict[str, Playing] = {}
    for one in sorted((one.playing for one in judged if one.playing is not None), key=lambda playing: playing.key):
        last[one.result.name] = one
    names = [
        name
        for name, one in last.items()
        if may_follow(one.result) and any(is_touched(x) and x.requirement in asked for x in one.findings)
    ]
    if names:
        yield (
            f"The harness disturbed the last playing that is here of {named(names)}. Without run.json nobody can tell "
            "whether its run played it once more."
        )


def _subject(header: r.Header) -> SubjectInfo:
    return SubjectInfo(
        name=header.subject,
        command=(),
        level=header.level,
        absent=tuple(Absent(name=name, reason=reason) for name, reason in header.absent.items()),
        readings=header.readings,
        entity_types=header.entity_types,
    )


def _playings(saved: Saved, suite: Suite, judged: Sequence[Judged]) -> list[Playing]:
    names = {scenario.name: scenario for scenario in suite.scenarios}
    playings = []
    for header, one in zip(saved.headers, judged, strict=True):
        playing = one.playing or Playing(_not_judged(header))
        playings.append(replace(playing, result=_placed(playing.result, names.get(header.scenario))))
    return playings


def _excerpts(judged: Sequence[Judged]) -> Excerpting:
    """Those that were cut while the traces were at hand."""
    around = {
        (finding.scenario, finding.play, finding.evidence, finding.about): told
        for one in judged
        if one.playing is not None
        for finding, told in zip(one.playing.findings, one.excerpts, strict=True)
        if told is not None
    }
    return lambda finding: around.get((finding.scenario, finding.play, finding.evidence, finding.about))


def _state(trace: Trace) -> str:
    last = trace.records[-1] if trace.records else None
    return last.state if isinstance(last, r.Finished) else "interrupted"


def _not_judged(header: r.Header) -> ScenarioResult:
    return ScenarioResult(
        name=header.scenario,
        title="",
        path=header.path,
        exclusive=header.exclusive,
        state="not run",
        note=NOT_JUDGED,
        play=header.play,
    )


def _played(path: Path, trace: Trace) -> ScenarioResult:
    return ScenarioResult(
        name=trace.header.scenario,
        title="",
        path=trace.header.path,
        exclusive=trace.header.exclusive,
        state=_state(trace),
        trace=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        duration=round(trace.records[-1].t / 1e6, 3) if trace.records else 0.0,
        exit=how_it_ended(trace.records),
        output=last_lines(trace),
        tier=trace.header.tier,
        play=trace.header.play,
        began=trace.header.began,
    )


def _placed(result: ScenarioResult, scenario: Scenario | None) -> ScenarioResult:
    """With what the suite says of it."""
    if scenario is None:
        return result
    cell = scenario.cell
    return structs.replace(
        result, title=scenario.title, fault=cell.fault if cell else "", phase=cell.phase if cell else ""
    )
