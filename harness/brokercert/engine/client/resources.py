"""What a client's process and its children hold (descriptors, threads, memory) and use (CPU); psutil, in any thread."""

from __future__ import annotations

import psutil

LOOKS = 3  # the least of so many is taken: what is held for a moment (a lookup, a collection) is no leak


def measure(pid: int) -> dict[str, int] | None:
    """The sums over the process and all its descendants; None where it is gone or may not be read."""
    found = [held for held in (_look(pid) for _ in range(LOOKS)) if held is not None]
    if not found:
        return None
    return {name: min(held[name] for held in found) for name in found[0]}


def work_of(pid: int) -> float:
    """CPU seconds that the process and its descendants have used; 0 where it is gone or may not be read."""
    try:
        first = psutil.Process(pid)
        processes = [first, *first.children(recursive=True)]
    except psutil.Error:
        return 0.0
    return sum(_used(process) for process in processes)


def _used(process: psutil.Process) -> float:
    """Of its children that have ended too: a compiler that `go run` starts is one."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)  # not on every system
    return float(times.user + times.system + ended)


def _look(pid: int) -> dict[str, int] | None:
    try:
        first = psutil.Process(pid)
        processes = [first, *first.children(recursive=True)]
        return {
            "processes": len(processes),
            "descriptors": sum(process.num_fds() for process in processes),
            "threads": sum(process.num_threads() for process in processes),
            "memory": sum(process.memory_info().rss for process in processes),
            "cpu": round(sum(_used(process) for process in processes) * 1e6),
        }
    except psutil.Error:
        return None
