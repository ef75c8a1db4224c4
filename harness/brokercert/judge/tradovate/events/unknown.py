"""Messages of tomorrow: event kinds and entity types that no client of today can know (TP §4)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.judge.tradovate.model.hostile import holds_unknown
from brokercert.judge.tradovate.model.probe import judge_alive
from brokercert.verdict import Finding


@check("EVT-110")
def check_unknown_ignored(bench: Bench) -> Iterator[Finding]:
    """Unknown event kinds, entity types and extra fields are ignored: no disconnect, and the same socket lives on."""
    for c in bench.talk.working():
        strange = _strange(c)
        if strange:
            yield from judge_alive(bench, c, strange, reconnect_allowed=False, what="unknown message")


def _strange(c: Connection) -> list[tuple[int, int]]:
    """(t, record) of the frames with an unknown message."""
    return [(said.t, said.record) for said in c.data_sent if holds_unknown(said.text)]
