"""The one seam of parallel work: order, lost workers, errors, Ctrl-C."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import crew
import pytest
from brokercert.engine.errors import HarnessError, UsageError
from brokercert.parallel import in_order, local, workers


def threads() -> Executor:
    return ThreadPoolExecutor(2)


def test_results_come_in_the_order_of_the_shares_whatever_the_executor() -> None:
    expected = tuple(n * n for n in range(40))
    told: list[tuple[int, int]] = []
    done = in_order(crew.square, range(40), threads, lambda place, result: told.append((place, result)))
    assert done.results == expected and not done.interrupted
    assert sorted(told) == list(enumerate(expected))
    assert in_order(crew.square, range(40), local(2)).results == expected


def test_a_lost_workers_share_is_done_again(tmp_path: Path) -> None:
    shares = [(str(tmp_path / "mark"), n) for n in range(6)]
    assert in_order(crew.die_once, shares, local(2)).results == (0, 1, 2, 3, 4, 5)
    assert (tmp_path / "mark").exists()


def test_a_share_that_kills_every_worker_is_named() -> None:
    with pytest.raises(HarnessError, match=r"share 0 \(7\) was lost 3 times"):
        in_order(crew.die, [7], local(1))


def test_what_a_share_raises_is_raised() -> None:
    with pytest.raises(LookupError, match="at two"):
        in_order(crew.stumble, range(4), threads)


def test_ctrl_c_keeps_what_is_done() -> None:
    def interrupt(place: int, result: int) -> None:
        if place == 4:
            raise KeyboardInterrupt

    done = in_order(crew.stumble, [0, 0, 0, 0, 9], threads, interrupt)
    assert done.interrupted and 9 in done.complete
    assert all(result in (0, 9) for result in done.complete)


def test_a_cluster_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--cluster nowhere:"):
        in_order(crew.square, [1], workers("nowhere:"))
