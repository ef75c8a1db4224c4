"""Sound clients of every shape, in virtual time: no row falls, and none is left open, where their sockets matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.virtual import wall
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone, shape_learnt
from brokercert.judge import judge_trace
from brokercert.reference.tradovate import ReferenceClient
from brokercert.trace import Shape
from inside import OFFERS, ROWS, SET, SUITE, told, verdicts
from shaped_clients import SOUND, BesideQuotes, Equal, InPairs, Probed, Renewing, Staggered, WaitsOffline

NAMES = (
    "open-held", "authorize-unanswered", "open-never", "upgrade-unanswered", "silent-application", "silent-dead",
    "idle-close", "heartbeat-streams", "sync-ticket", "sync-ticket-nested", "sync-ticket-long",
    "sync-ticket-cut-off", "authorize-ticket", "sync-captcha", "loss-fin", "loss-rst",
    "loss-close-1000", "unavailable-accept", "processed-after-losses", "stop-away", "answer-in-batch",
)  # fmt: skip
# Of equal sockets an order's events come once on each, and the reference client tells each: it is made to tell none.
# Who waits a penalty out without a socket has none that a heartbeat is due on.
LEFT_OPEN = {
    (Equal, "processed-after-losses"): {"REC-080": "not observed"},
    (WaitsOffline, "sync-ticket-long"): {"RLP-080": "not observed"},
}


def request_of(client: type[ReferenceClient], out: Path) -> RunRequest:
    def factory(env: Any, output: Any) -> Any:
        return client(env, output, wall=wall, seed=1)

    ours = SUITE.dialect.reference
    spec = SubjectSpec(
        "shaped", factory=factory, level="in process", offers=OFFERS, entity_types=ours.entity_types,
        readings=ours.readings,
    )  # fmt: skip
    return RunRequest(SET, spec, tier="virtual", out=out)


def shape_of(client: type[ReferenceClient], out: Path) -> Shape:
    found = shape_learnt(request_of(client, out), ROWS, SUITE)
    assert found is not None
    return found


@pytest.mark.parametrize("client", SOUND.values(), ids=list(SOUND))
def test_no_row_falls_of_a_sound_client_whatever_its_shape(client: type[ReferenceClient], tmp_path: Path) -> None:
    shape = shape_of(client, tmp_path)
    for name in NAMES:
        played = play_alone(SUITE.by_name(name), request_of(client, tmp_path), ROWS, "run", tmp_path, shape)
        assert played.result.state == "completed", (name, played.result.note)
        findings = judge_trace(played.trace, ROWS, SUITE.dialect.judging)
        assert verdicts(findings) == LEFT_OPEN.get((client, name), {}), f"{name}: {told(findings)}"


def test_shapes_are_what_the_clients_are(tmp_path: Path) -> None:
    one, quotes = shape_of(ReferenceClient, tmp_path), shape_of(BesideQuotes, tmp_path)
    assert (one.sockets, one.starts, one.bare, one.tokens) == (1, 1, 0, ())
    assert [(x.credential, bool(x.sync)) for x in quotes.lanes] == [("access-token", True), ("md-token", False)]
    assert [x.count for x in shape_of(Staggered, tmp_path).lanes] == [1, 1, 1]
    assert [x.count for x in shape_of(Equal, tmp_path).lanes] == [3]
    pairs = shape_of(InPairs, tmp_path)
    assert pairs.steady and pairs.starts == 2 and [x.opened[0] // 1_000_000 for x in pairs.lanes] == [0, 0, 3]
    probed, renewing = shape_of(Probed, tmp_path), shape_of(Renewing, tmp_path)
    assert probed.bare and probed.sockets == 1 and not renewing.bare
