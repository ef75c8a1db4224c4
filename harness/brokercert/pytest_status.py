"""What was asked of the pytest door, and the status that pytest may then end with.

The law: where a certification was asked for, pytest ends with 0 only if the run says *certified*. Whatever else would
be a pass (every item skipped, nothing collected, an early end with status 0) is none. What was asked for is read before
any conftest.py of the project, so that none can withdraw it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from brokercert.door.wire import Options
from brokercert.sets import markers

if TYPE_CHECKING:
    from brokercert.pytest_items import Certification

MARKERS = markers()

# Options with which pytest shows something and runs no test.
SHOWING = ("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test", "cacheshow")

CHANGED = "brokercert: pytest would have ended with status {}; expected a certified run; ends with {}\n"


@dataclass(frozen=True)
class Wish:
    """A certification that was asked for. `stands`: whoever drops our items, it is still asked for."""

    options: Options
    stands: bool
    shows: bool


def wish_of(config: pytest.Config, given: argparse.Namespace) -> Wish | None:
    """What the command line `given` and the configuration file ask for; None: no certification.

    With the ini value alone, a filter on the command line is meant to choose among the project's own tests, and leaves
    the certification out where it leaves no item of it.
    """
    marker = str(getattr(given, "markexpr", "")).strip()
    typed = given.brokercert_set or MARKERS.get(marker, "")
    set_id = typed or str(config.getini("brokercert_set"))
    if not set_id:
        return None
    filtered = any(getattr(given, name, None) for name in ("markexpr", "keyword", "deselect"))
    options = Options(
        set_id=set_id,
        by_marker=bool(typed) and not given.brokercert_set,
        config=given.brokercert_config,
        command=given.brokercert_command,
        part=given.brokercert_part,
        only=list(given.brokercert_only or ()),
        out=given.brokercert_out,
        waivers=given.brokercert_waivers,
        strict=bool(given.brokercert_strict),
        reference=bool(given.brokercert_reference),
        else_reference=bool(config.getini("brokercert_reference")),
    )
    return Wish(
        options=options,
        stands=bool(typed) or not filtered,
        shows=any(getattr(given, name, False) for name in SHOWING),
    )


def is_pass(status: object) -> bool:
    """Whether a program that ends with this is taken for one that passed; also where pytest found no test."""
    if status is None or status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return True
    return isinstance(status, int) and int(status) % 256 == 0


def status_of(wish: Wish | None, certification: Certification | None, status: object) -> object:
    """The status to end with, where pytest would end with `status`.

    A pass is changed where nothing is certified; and also a failure, where what failed is the engine.
    """
    broke = certification is not None and certification.broke
    if broke and (is_pass(status) or status == pytest.ExitCode.TESTS_FAILED):
        return pytest.ExitCode.INTERNAL_ERROR
    if wish is None or wish.shows or not is_pass(status):
        return status
    if certification is None:
        return pytest.ExitCode.TESTS_FAILED if wish.stands else status
    return status if certification.certified or not certification.asked else pytest.ExitCode.TESTS_FAILED
