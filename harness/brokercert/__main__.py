"""The program: `brokercert`, or `python -m brokercert`.

The law: it ends with a status of docs/exit-codes.md, or by SIGKILL. Signals are handled before anything else is
imported, and nothing that Python does at its own end (it exits with 120 where an output is full) has a say.
"""

from __future__ import annotations

import os
from typing import NoReturn

from brokercert.engine.stops import INTERRUPTED, STOPS, tell

HARNESS_ERROR = 3  # brokercert.verdict.ExitCode.HARNESS_ERROR


def run() -> NoReturn:
    """Run the command line of this process, and end it."""
    status = HARNESS_ERROR
    try:
        STOPS.own()
        from brokercert.cli.outlet import hold_descriptors

        hold_descriptors()
        from brokercert.cli import main

        status = main()
    except KeyboardInterrupt:  # before `main` could take it, or while it took another
        tell("interrupted")
        status = INTERRUPTED
    except BaseException:  # whatever it is, the client is not to blame
        tell("the harness itself broke; this says nothing of the client")
    STOPS.decide()
    _leave(status)


def _leave(status: int) -> NoReturn:
    """As Python ends, but that nothing can change the status or keep the process."""
    try:
        import atexit

        atexit._run_exitfuncs()
    except BaseException:
        tell("something that was to be done at the end of the process broke")
    finally:
        os._exit(status)


if __name__ == "__main__":
    run()
