"""The end of a run: the reports written, `latest` moved, the result on the console, the exit status. In this order.

The law: nothing that is shown, or cannot be, and no file that cannot be written, changes the status; and `latest` never
stays with an earlier run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from brokercert_reports.write import RECORD, Written, write_what_fits

from brokercert.cli.outlet import say
from brokercert.engine.ask.given import is_file
from brokercert.engine.run.latest import point_latest
from brokercert.engine.stops import STOPS
from brokercert.verdict import EXIT_CODES, RunRecord


def finish(
    run: RunRecord,
    folder: Path | None,
    *,
    newest: bool = False,
    record: bytes | None = None,
    junit: str = "properties",
) -> int:
    """Write the reports into `folder` (None: nowhere), make `latest` mean it where it is the newest run, show the
    result, and say how to exit. `record` is the content of the `run.json` that the run was read from, if it was. Of an
    output or a disk that is full it raises nothing.

    `junit` is the form of the JUnit file: `properties` or `plain`.
    """
    written = Written({}, {})
    troubles: list[str] = []
    with STOPS.during(lambda: None, lambda: f"writing the reports into {folder}"):
        if folder is not None:
            written = write_what_fits(run, folder, record, plain_junit=junit == "plain")
            troubles += told(written, folder)
            if newest:
                troubles += point_latest(folder)
        show(run, written, troubles)
    return status_of(run)


def status_of(run: RunRecord) -> int:
    """The exit status of `certify`, `judge` and `report`: this line alone says 1 of a client."""
    return EXIT_CODES[run.outcome].value


def show(run: RunRecord, written: Written, troubles: Sequence[str]) -> None:
    """The result on standard output, what could not be written on standard error. A signal ends the showing.

    Raises nothing: the result stands, shown or not.
    """
    try:
        with STOPS.during(_seen_enough, lambda: "showing the result", heed=False):
            for text in troubles:
                say(f"brokercert: {text}", err=True)
            _render(run, written)
    except KeyboardInterrupt:
        pass
    except BaseException as error:  # a bug of whoever draws: no memory, no stack, a width of nothing
        say(f"brokercert: the result could not be shown in full: {type(error).__name__}: {error}", err=True)
        say(run.sentence)
    finally:
        STOPS.decide()


def _render(run: RunRecord, written: Written) -> None:
    from brokercert_reports.console import render_console
    from rich.console import Console

    render_console(run, Console(), reports=written.paths)


def _seen_enough() -> None:
    raise KeyboardInterrupt


def told(written: Written, folder: Path) -> Iterator[str]:
    """What could not be written, a line each."""
    if not written.failed:
        return
    names = ", ".join(written.failed)
    old = [name for name in written.failed if is_file(folder / name)]
    why = next(iter(written.failed.values()))
    mend = f"`brokercert report {folder}` writes them again."
    if RECORD in written.failed:
        mend = f"`brokercert judge {folder} --out FOLDER` judges the traces again."
    yield f"{names} could not be written to {folder}: {why}. The result stands as it is shown. {mend}"
    if old:
        yield f"what is called {', '.join(old)} in {folder} was not written by this command: do not use it"
