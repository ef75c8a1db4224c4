"""`brokercert judge TRACE...` and `brokercert report RUN.JSON`: from what was saved alone."""

from __future__ import annotations

from pathlib import Path

import click

from brokercert.cli.options import CLUSTER, JOBS, JUNIT, Place


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", help="Requirement set (default: the one that the traces name).")
@click.option("--part", metavar="PART", help="Judge a named part of the set only (default: as the run; '': all of it).")
@click.option("--only", metavar="ID", multiple=True, help="Only this requirement; repeatable (default: as the run).")
@click.option("--strict/--no-strict", default=None, help="Let a warning fail (default: as the run).")
@click.option("--out", type=Place(file_okay=False), help="Write the reports into this folder.")
@JOBS
@CLUSTER
@click.argument("traces", nargs=-1, required=True, type=Place(exists=True))
def judge(
    set_name: str | None,
    part: str | None,
    only: tuple[str, ...],
    strict: bool | None,
    out: Path | None,
    jobs: int,
    cluster: str,
    traces: tuple[Path, ...],
) -> int:
    """Judge saved traces again, without network and client. The verdicts are those of their run.

    TRACES are files, or folders of them, such as out/latest: all of one run. If its run.json stands beside them, they
    must be what it names, byte for byte. Few are judged in this process. Many are shared out over processes, or over
    the workers of a cluster. These must find the files at the same places.
    """
    from brokercert.cli.finish import finish
    from brokercert.engine.run.folder import check_folder
    from brokercert.engine.run.offline import is_little, judge_traces
    from brokercert.engine.run.saved import refuse_overwriting
    from brokercert.parallel import workers

    if out is not None:
        refuse_overwriting(out, traces)
        check_folder(out, "--out")
    make = workers(cluster, jobs, few=is_little(traces))
    return finish(judge_traces(traces, set_name, part=part, only=only or None, strict=strict, make=make), out)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", type=Place(file_okay=False), help="Another folder than the file's own.")
@JUNIT
@click.argument("run_json", type=Place(exists=True))
def report(run_json: Path, out: Path | None, junit: str) -> int:
    """Render the reports of a run.json (or of a run's folder) again. The exit status is the run's. A run.json whose
    outcome does not follow from its rows, a row's verdict from its findings, or its seal from the rest, is refused.
    """
    from brokercert.cli.finish import finish
    from brokercert.engine.ask.given import is_folder, read_given
    from brokercert.engine.run.believed import believed
    from brokercert.engine.run.folder import check_folder

    path = run_json / "run.json" if is_folder(run_json) else run_json
    data = read_given(path, "the run.json of a run, as in out/latest")
    run = believed(path, data)
    check_folder(out or path.parent, "--out" if out else str(run_json))
    return finish(run, out or path.parent, record=data, junit=junit)
