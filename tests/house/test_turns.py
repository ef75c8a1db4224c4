"""The loop comes round: no loop of ours goes on without a bound, and no line of what waits grows without one.

A `while` whose body waits for nothing holds everybody else up for as long as it goes on: clients, deadlines, signals.
Each of them says here why it ends soon; a queue says here what bounds it. A new one has to do the same.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where what runs shares its loop with clients. The judge, the matrix and what shrinks finds run after it, or beside it.
ROOMS = (
    "mock_server/brokercert_mock",
    "scenarios/brokercert_scenarios",
    *(f"harness/brokercert/{room}" for room in ("engine", "fuzz", "live", "simulation", "toxiproxy", "trace")),
)
WAITS = (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom)
QUEUES = ("deque", "Queue", "PriorityQueue", "LifoQueue", "SimpleQueue")

ENDS = {
    "harness/brokercert/engine/play/virtual.py _Selector._ready_now": "each round has more of what is registered",
    "harness/brokercert/trace/disguises.py _run": "with the form of a secret: each round goes on in it",
    "harness/brokercert/trace/disguises.py _with_marks": "with the secret: each round goes on in it",
    "mock_server/brokercert_mock/tradovate/exchange/bulk.py grow": "at the size asked for, in a thread of its own",
    "mock_server/brokercert_mock/tradovate/burst.py Burst.send": "with its turn (`pace.Turn`)",
    "mock_server/brokercert_mock/port/inflow.py Inflow._go_on": "with its turn (`pace.Turn`)",
    "mock_server/brokercert_mock/port/inflow.py Inflow.finish": "with the bytes of one read, once a connection",
    "mock_server/brokercert_mock/tradovate/exchange/ledger.py Books._pair": "each round takes a lot off",
    "mock_server/brokercert_mock/port/names.py _question": "with the query: each round goes on in it",
    "mock_server/brokercert_mock/tradovate/sessions/quotas.py Quotas.on_authorized": "each round ends a connection",
    "mock_server/brokercert_mock/tradovate/sessions/quotas.py Quotas.on_login": "each round ends a session",
    "mock_server/brokercert_mock/port/shell.py Shell._read_on": "with the bytes of one read, or those that had to wait",
    "harness/brokercert/engine/play/grid.py sampled": "each round takes a fault or a phase off, before anything runs",
    "harness/brokercert/engine/play/scoring.py scoring": "with the burst's own records, if interrupted",
    "harness/brokercert/engine/machine/watchdog.py Watchdog._watch": "with the run, in a thread that waits in between",
    "harness/brokercert/trace/file.py TraceFile.flush": "each round writes, and what cannot be written raises",
    "harness/brokercert/trace/writer.py TraceWriter.close": "with the records that were held, once a scenario",
    "harness/brokercert/simulation/held.py held_by": "each round takes one off, after the run",
    "harness/brokercert/simulation/schedule.py schedule_of": "at the schedule's end, before anything runs",
    "harness/brokercert/simulation/shrink.py _Shrinking.cut": "with what is left to be tried, between two runs",
}
BOUNDS = {
    "mock_server/brokercert_mock/port/inflow.py Inflow.__init__": "the bytes of one read; no other is made meanwhile",
    "mock_server/brokercert_mock/port/broker.py AnyBroker.__init__": "KEPT, where one is added",
    "harness/brokercert/engine/client/inprocess.py InProcessSubject.__init__": "the commands of one scenario",
    "harness/brokercert/engine/client/output.py Output.__init__": "MOST_LINES, MOST_REPORTS and MOST_BYTES (`full`)",
    "harness/brokercert/toxiproxy/link.py Direction.__init__": "MOST_QUEUED, after which nothing more is read",
}


def _nodes(tree: ast.AST, place: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Each node with the function that it is in."""
    for child in ast.iter_child_nodes(tree):
        inner = place
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{place}.{child.name}".lstrip(".")
        yield place, child
        yield from _nodes(child, inner)


def _found() -> Iterator[tuple[str, ast.AST]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for place, node in _nodes(ast.parse(path.read_text())):
                yield f"{path.relative_to(ROOT)} {place}", node


def _waits(node: ast.While) -> bool:
    return any(isinstance(inner, WAITS) for part in (node.test, *node.body) for inner in ast.walk(part))


def _is_open_queue(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or ast.unparse(node.func).rpartition(".")[2] not in QUEUES:
        return False
    bounded = any(word.arg in ("maxlen", "maxsize") for word in node.keywords)
    return not bounded


def test_a_loop_that_waits_for_nothing_says_why_it_ends() -> None:
    found = {where for where, node in _found() if isinstance(node, ast.While) and not _waits(node)}
    assert found == set(ENDS), "each `while` without an `await` in it stands in ENDS, with what ends it"


def test_a_queue_says_what_bounds_it() -> None:
    found = {where for where, node in _found() if _is_open_queue(node)}
    assert found == set(BOUNDS), "each queue without `maxlen` stands in BOUNDS, with what bounds it"
