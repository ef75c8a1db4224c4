"""The one seam of parallel work: what is offline or in virtual time, and independent, goes through an Executor.

Processes of this machine by default; a Dask cluster where one is named (extra `brokercert[cluster]`); this process
where there is so little to do that starting workers would cost more.
The law: the same results in the same order whatever does the work; a lost worker's share is done again; Ctrl-C keeps
what is done. No scheduler, queue or worker of our own. Certification in real time never comes here.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from brokercert.engine.errors import HarnessError, UsageError

Share = TypeVar("Share")
Result = TypeVar("Result")

TRIES = 3  # times that a share is begun: what kills a worker each time is a bug, and no bad luck
Workers = Callable[[], Any]  # a context manager that yields an Executor


class LostError(HarnessError):
    """A share lost its worker each time that it was begun."""


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """The results in the order of the shares; None where Ctrl-C came before."""

    results: tuple[Result | None, ...]
    interrupted: bool = False

    @property
    def complete(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result is not None)


def _deaf() -> None:
    """Ctrl-C in a terminal reaches every process, as its end does; only the one that gathers the results decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def local(jobs: int = 0) -> Workers:
    """Processes of this machine: `jobs` of them, 0 for one a core."""

    @contextmanager
    def make() -> Iterator[Executor]:
        # Spawned, not forked: a fork copies the locks of threads that do not exist in the child.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(jobs or os.cpu_count() or 1, mp_context=context, initializer=_deaf)
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    return make


def cluster(address: str) -> Workers:
    """The workers of a Dask scheduler. Raises `UsageError` where it cannot be reached or Dask is not installed."""

    @contextmanager
    def make() -> Iterator[Executor]:
        try:
            from distributed import Client
        except ImportError as error:
            raise UsageError(
                f"--cluster {address}: Dask is not installed; pip install 'brokercert[cluster]'"
            ) from error
        try:
            client: Any = Client(address, timeout=10)  # type: ignore[no-untyped-call,unused-ignore]
        except (OSError, ValueError) as error:
            raise UsageError(f"--cluster {address}: {error}; expected tcp://HOST:PORT of a Dask scheduler") from error
        with client:
            executor: Executor = client.get_executor(retries=TRIES - 1)
            yield executor

    return make


def workers(address: str = "", jobs: int = 0, *, few: bool = False) -> Workers | None:
    """A cluster where one is named, else this machine. None, which is this process, where there is little to do."""
    if address:
        return cluster(address)
    return None if few else local(jobs)


def in_order(
    function: Callable[[Share], Result],
    shares: Sequence[Share],
    make: Workers | None,
    on_result: Callable[[int, Result], None] = lambda place, result: None,
) -> Done[Result]:
    """`function` of every share. `on_result` is told of each as it comes, in any order. `make` None: in this process.

    `function` must be importable by name, and shares and results picklable. What it raises is raised here. Raises
    `LostError` where a share loses its worker again and again, and `UsageError` where there are no workers.
    """
    results: list[Result | None] = [None] * len(shares)
    missing = set(range(len(shares)))
    if make is None:
        return _here(function, shares, results, on_result)
    for _ in range(TRIES):
        try:
            with make() as executor:
                _gather(executor, function, shares, sorted(missing), results, missing, on_result)
        except BrokenProcessPool:
            continue  # a process died, and its pool with it: a new one does what is missing
        except KeyboardInterrupt:
            return Done(tuple(results), interrupted=True)
        return Done(tuple(results))
    first = min(missing)
    raise LostError(f"the worker of share {first} ({shares[first]!r}) was lost {TRIES} times")


def _here(
    function: Callable[[Share], Result],
    shares: Sequence[Share],
    results: list[Result | None],
    on_result: Callable[[int, Result], None],
) -> Done[Result]:
    try:
        for place, share in enumerate(shares):
            results[place] = result = function(share)
            on_result(place, result)
    except KeyboardInterrupt:
        return Done(tuple(results), interrupted=True)
    return Done(tuple(results))


def _gather(
    executor: Executor,
    function: Callable[[Share], Result],
    shares: Sequence[Share],
    places: Sequence[int],
    results: list[Result | None],
    missing: set[int],
    on_result: Callable[[int, Result], None],
) -> None:
    under_way: dict[Future[Result], int] = {executor.submit(function, shares[place]): place for place in places}
    broken: BrokenProcessPool | None = None
    try:
        # Not `wait` for the first: it looks at all that are under way each time, 90 s in all for 16,000 (measured).
        for future in as_completed(under_way):
            place = under_way[future]
            try:
                result = future.result()
            except BrokenProcessPool as error:  # those beside it may have come through
                broken = error
                continue
            results[place] = result
            missing.discard(place)
            on_result(place, result)
        if broken is not None:
            raise broken
    finally:
        for future in under_way:
            with suppress(Exception):
                future.cancel()
