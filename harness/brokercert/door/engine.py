"""What the engine is asked through the pytest door: which items there are, and a run of some of their rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from brokercert_reports.text import printable
from brokercert_reports.write import RECORD, write_what_fits

from brokercert.cli.finish import told
from brokercert.cli.progress import PlainProgress
from brokercert.door.told import judged_from
from brokercert.door.wire import NO_SCENARIO, Judged, Options, Plan
from brokercert.engine.ask.config import Config, load_config, split_command
from brokercert.engine.ask.options import again, client_asked, part_asked
from brokercert.engine.ask.waivers import todays_waivers
from brokercert.engine.ask.whom import PYTEST
from brokercert.engine.client.build import build_of
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run import run as engine
from brokercert.engine.run.latest import point_latest
from brokercert.engine.run.run import RunRequest
from brokercert.near import hint
from brokercert.requirements import RequirementSet, set_named
from brokercert.sets import stem_of
from brokercert.verdict import RunRecord, decode_run


def plan(options: Options, root: str) -> Plan:
    """The items. Raises `UsageError` or `RequirementError` where what was asked for cannot be."""
    rows = _set_of(options, root)
    request = request_of(options, root, rows)
    listed = load_suite(rows.id).listed()
    return Plan(
        set_id=rows.id,
        named=rows.name,
        marker=rows.marker,
        whom=printable(request.subject.name),
        part=request.part,
        rows={row: list(listed.get(row, (NO_SCENARIO,))) for row in _asked(request, rows)},
    )


def run(options: Options, root: str, left: list[str], say: Callable[[str], None]) -> tuple[RunRecord, Path]:
    """Run the engine for the rows `left`. Returns its record, and the folder for it. Raises like `plan`."""
    rows = _set_of(options, root)
    request = request_of(options, root, rows)
    every = set(left) == set(rows.part(request.part) if request.part else rows.by_id)
    request = replace(request, only=() if every else tuple(left))
    record = engine.run_certification(request, PlainProgress(say))
    return record, request.out / record.run_id


def report(record: RunRecord, folder: Path, say: Callable[[str], None]) -> Judged:
    """Write the run's reports into `folder`, and say what the items say: what stands in its run.json.

    Where it cannot be written (a full disk), the items say the same; what could not be is told.
    """
    written = write_what_fits(record, folder)
    for trouble in (*told(written, folder), *point_latest(folder)):
        say(trouble)
    if RECORD in written.paths:
        record = decode_run(written.paths[RECORD].read_bytes())
    return judged_from(record, load_suite(record.set_id).listed(), written.paths)


def _set_of(options: Options, root: str) -> RequirementSet:
    """The set that was named. A marker names no edition, so that of the project's file is taken where it has one."""
    name, said = options["set_id"], _config(options, root).set_id
    return set_named(said if options["by_marker"] and stem_of(said) == name else name)


def _config(options: Options, root: str) -> Config:
    named = options["config"]
    return load_config(Path(named) if named else None, start=Path(root), option="--brokercert-config")


def request_of(options: Options, root: str, rows: RequirementSet) -> RunRequest:
    """The run that is asked for, of all rows. Raises `UsageError`, which names the option."""
    text, out, waivers = options["command"], options["out"], options["waivers"]
    config = _config(options, root)
    command = split_command(text, "--brokercert-command") if text is not None else ()
    part = part_asked(config, rows, options["part"], "--brokercert-part")
    for row in options["only"]:
        if row not in rows.by_id:
            meant = hint(row, rows.by_id) or "; `brokercert list` shows them"
            raise UsageError(f"--brokercert-only {row}: no such requirement in {rows.name}{meant}")
    strict = options["strict"] or config.strict
    spec = client_asked(
        config,
        rows,
        command,
        reference=options["reference"],
        else_reference=options["else_reference"],
        door=PYTEST,
    )
    return RunRequest(
        set_id=rows.id,
        subject=replace(spec, build=build_of(spec)),
        part=part,
        only=tuple(options["only"]),
        strict=strict,
        jobs=config.jobs,
        seed=config.seed,
        out=Path(out) if out else config.out,
        out_told="--brokercert-out" if out else config.told.get("out", "--brokercert-out"),
        limits=config.limits,
        waivers=todays_waivers(Path(waivers) if waivers else None, config.path, Path(root)),
        again=again(
            config,
            rows,
            part=part,
            strict=strict,
            seed=config.seed,
            typed=command,
            reference=spec.reference,
        ),
    )


def _asked(request: RunRequest, rows: RequirementSet) -> list[str]:
    """The rows of the part and of --brokercert-only."""
    ids = rows.part(request.part) if request.part else tuple(row.id for row in rows.rows)
    return [row for row in ids if not request.only or row in request.only]
