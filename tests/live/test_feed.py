"""The feed from its records alone: bounded, counted, and each connection's story."""

from __future__ import annotations

from brokercert.live.feed import CONNECTIONS, LINES, LONGEST, Feed
from brokercert.trace import Body
from brokercert.trace import records as r


def told(*records: Body, beats: tuple[str, ...] = ("h", "[]")) -> Feed:
    feed = Feed(beats)
    for record in records:
        feed.tell(record)
    return feed


def frame(text: str | None, *, conn: int = 1, sender: r.Side = "client", opcode: int = 1, t: int = 0) -> r.Frame:
    return r.Frame(t=t, conn=conn, sender=sender, ordinal=1, opcode=opcode, text=text)


def upgrade(conn: int, agent: str = "a client") -> r.Head:
    headers = (("Host", "x"), ("user-agent", agent))
    return r.Head(t=1_500_000, conn=conn, method="GET", target="/", headers=headers, upgrade=True)


def test_a_line_says_when_who_where_and_what() -> None:
    feed = told(r.Accepted(t=1_000_000, conn=7), frame("hello", conn=7, t=2_250_000))
    first, second = feed.since(0)
    assert first["number"] == 1 and second["number"] == 2
    assert (second["at"], second["conn"], second["who"], second["text"]) == (2.25, 7, "client", "hello")


def test_since_gives_what_is_new_and_still_kept() -> None:
    feed = told(*(frame(str(n)) for n in range(LINES + 20)))
    assert feed.total == LINES + 20
    assert [line["text"] for line in feed.since(LINES + 18)] == [str(LINES + 18), str(LINES + 19)]
    assert len(feed.since(0)) == LINES and feed.since(0)[0]["text"] == "20"
    assert feed.since(feed.total) == []


def test_a_long_payload_is_cut_and_its_length_said() -> None:
    text = told(frame("x" * (LONGEST + 50))).since(0)[0]["text"]
    assert text.startswith("x" * LONGEST + "…") and f"({LONGEST + 50} characters)" in text


def test_a_heartbeat_is_known_by_the_dialects_word_or_as_a_control_frame() -> None:
    feed = told(frame("[]"), frame("[] "), frame("h", opcode=2), frame("", opcode=9), frame("x", opcode=10))
    assert [line["beat"] for line in feed.since(0)] == [True, False, False, True, True]
    assert not told(frame("h"), beats=("PONG",)).since(0)[0]["beat"]


def test_a_connections_story() -> None:
    feed = told(
        r.Accepted(t=1_000_000, conn=1),
        upgrade(1),
        r.UpgradeAnswer(t=1_500_000, conn=1, status=101),
        frame("o", sender="broker", t=1_600_000),
        frame("authorize", t=1_700_000),
        frame("answer", sender="broker", t=1_800_000),
        r.Ended(t=9_000_000, conn=1, by="client", how="rst"),
        r.Ended(t=9_100_000, conn=1, by="broker", how="fin"),
    )
    (seen,) = feed.connections()
    assert (seen.kind, seen.client, seen.at, seen.last, seen.sent, seen.told) == (
        "WebSocket",
        "a client",
        1.0,
        1.7,
        1,
        2,
    )
    assert (seen.ended, seen.end) == (9.0, "client ended it (RST)")  # the first end is the end


def test_a_fault_of_the_broker_is_part_of_the_story_only_while_it_can_be_a_cause() -> None:
    fault = r.Fault(t=2, requested=1, name="close-1001", conn=1)
    end = r.Ended(t=3, conn=1, by="broker", how="fin")
    assert told(r.Accepted(t=0, conn=1), fault, end).connections()[0].end == "broker ended it (FIN), fault close-1001"
    assert told(r.Accepted(t=0, conn=1), end, fault).connections()[0].end == "broker ended it (FIN)"


def test_a_refused_upgrade_and_a_rest_connection_are_told_apart() -> None:
    head = r.Head(t=0, conn=2, method="POST", target="/v1/x", headers=(), upgrade=False)
    refused, rest = told(
        r.Accepted(t=0, conn=1),
        upgrade(1),
        r.UpgradeAnswer(t=0, conn=1, status=503),
        r.Ended(t=5, conn=1, by="broker", how="fin"),
        r.Accepted(t=0, conn=2),
        head,
        r.RestRequest(t=0, conn=2, ordinal=1, method="POST", target="/v1/x"),
        r.RestAnswer(t=0, conn=2, ordinal=1, status=200),
    ).connections()
    assert refused.end == "broker ended it (FIN), upgrade answered with 503"
    assert (rest.kind, rest.sent, rest.told, rest.ended) == ("REST", 1, 1, None)


def test_connections_that_ended_are_forgotten_from_the_oldest_and_open_ones_never() -> None:
    feed = Feed()
    for conn in range(1, CONNECTIONS + 32):
        feed.tell(r.Accepted(t=0, conn=conn))
        if conn != 3:
            feed.tell(r.Ended(t=0, conn=conn, by="client", how="fin"))
    kept = [seen.id for seen in feed.connections()]
    assert 3 in kept and 1 not in kept and kept[-1] == CONNECTIONS + 31
    assert len(kept) <= CONNECTIONS + 2 and feed.accepted - len(kept) > 25
    feed.tell(frame("late", conn=1))  # of one that is forgotten
