"""Updates by the third edition (A3 Message Format): the same questions, of other messages and at other levels."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.arrow.bench import BOOK3, ArrowBench, check
from brokercert.judge.arrow.updates.beliefs import compared
from brokercert.judge.arrow.updates.handling import handled_once, ignored
from brokercert.judge.arrow.updates.tracking import tracked_to_the_end
from brokercert.verdict import Finding


@check("AOU-310", BOOK3)
def check_understood(bench: ArrowBench) -> Iterator[Finding]:
    """After every report type and every status, the client's orders are the broker's."""
    yield from compared(bench, "life")


@check("AOU-321", BOOK3)
def check_one_time(bench: ArrowBench) -> Iterator[Finding]:
    """Updates of an order that differ all count, also where their time is one."""
    yield from compared(
        bench,
        "one time",
        "the client's orders are the broker's: the page's advice, order id and timestamp, drops updates that differ",
    )


@check("AOU-340", BOOK3)
def check_handlers(bench: ArrowBench) -> Iterator[Finding]:
    """Each update is given once to the handler of its order, and once to the handler of all orders (`*`)."""
    yield from handled_once(bench)


@check("AOU-350", BOOK3)
def check_unreadable(bench: ArrowBench) -> Iterator[Finding]:
    """Text that is no JSON, binary frames and objects without `id` are ignored: the same socket lives on, and beats."""
    yield from ignored(bench)


@check("AOU-352", BOOK3)
def check_no_object(bench: ArrowBench) -> Iterator[Finding]:
    """JSON that is no object is ignored: the same socket lives on, and beats."""
    yield from ignored(bench)


@check("AOU-355", BOOK3)
def check_names(bench: ArrowBench) -> Iterator[Finding]:
    """Orders are known by `id`, and nothing is applied from an object of the first edition."""
    yield from compared(bench, "names")


@check("AOU-380", BOOK3)
def check_tracking(bench: ArrowBench) -> Iterator[Finding]:
    """Tracking an order ends with its terminal state, or with a time-out: it never hangs."""
    yield from tracked_to_the_end(bench)
