"""One socket's life: text and time in, text and a reason to leave out; no socket, no clock, no dice."""

import dataclasses
import itertools
import json
from typing import Any

import pytest
from brokercert.reference.tradovate.config import Config
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import TRANSITIONS, Happening, State
from brokercert.reference.tradovate.store import Store
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = Config(url="u", rest_url="r", token="tok")
SYNC = {"splitResponses": True, "entityTypes": ["order"]}
ACCEPTED = 'a[{"s":200,"i":0}]'
SNAPSHOT = 'a[{"s":200,"i":1,"d":{"users":[{"id":1}],"orders":[{"id":7,"ordStatus":"Working"}]}}]'
PROPS = 'a[{"e":"props","d":{"entityType":"order","eventType":"Created","entity":{"id":8}}}]'
TICKET = {"p-ticket": "tick-1", "p-time": 3}


class Socket:
    """A session, and what it has sent without its heartbeats."""

    def __init__(self, **numbers: Any) -> None:
        self.events: list[tuple[str, Any]] = []
        config = dataclasses.replace(NUMBERS, **numbers)
        self.session = Session(config, "tok", SYNC, Store(), 0.0, lambda kind, data: self.events.append((kind, data)))
        self.beats: list[float] = []

    def hear(self, text: str, now: float = 0.0) -> list[str]:
        self.session.receive(text, now)
        return self.sent(now)

    def wait(self, now: float) -> list[str]:
        self.session.tick(now)
        return self.sent(now)

    def sent(self, now: float) -> list[str]:
        texts = self.session.take()
        self.beats += [now] * texts.count("[]")
        return [text for text in texts if text != "[]"]

    def live(self, now: float = 0.0) -> "Socket":
        for text in ("o", ACCEPTED, SNAPSHOT):
            self.hear(text, now)
        assert self.session.state is State.LIVE
        return self

    @property
    def left(self) -> Happening | None:
        return self.session.over.how if self.session.over else None


def reply(ident: int, data: Any = None, status: int = 200) -> str:
    return "a" + json.dumps([{"s": status, "i": ident, "d": data}])


def test_a_life_from_open_frame_to_snapshot() -> None:
    socket = Socket()
    assert socket.wait(0.1) == []  # nothing before `o`
    assert socket.hear("o", 0.2) == ["authorize\n0\n\ntok"]
    assert socket.wait(2.0) == []  # nothing but heartbeats before the answer
    (sync,) = socket.hear(ACCEPTED, 2.1)
    assert sync.startswith("user/syncrequest\n1\n\n") and json.loads(sync.split("\n", 3)[3]) == SYNC
    assert socket.session.live_since is None
    assert socket.hear(SNAPSHOT, 2.2) == []
    assert socket.session.state is State.LIVE and socket.session.live_since == 2.2
    assert socket.session.store.entities["order"][7]["ordStatus"] == "Working"


@pytest.mark.parametrize("at", [0, 1, 2])
def test_the_authorize_answer_is_found_anywhere_in_a_batch(at: int) -> None:
    socket = Socket()
    socket.hear("o")
    elements = ['{"e":"clock","d":"{}"}', "[]"]
    elements.insert(at, '{"s":200,"i":0}')
    assert len(socket.hear(f"a[{','.join(elements)}]")) == 1
    assert socket.session.state is State.AUTHORIZED


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (reply(0, "Invalid access token", 401), Happening.REFUSED),
        (reply(0, {"errorText": "no"}), Happening.REFUSED),
        (reply(0, {**TICKET, "p-captcha": True}), Happening.LOCKED_OUT),  # the token is as good as before
    ],
)
def test_a_refusal_ends_the_socket_and_nothing_more_is_said(answer: str, how: Happening) -> None:
    socket = Socket()
    socket.hear("o")
    assert socket.hear(answer) == []
    assert socket.left is how
    assert socket.wait(60) == [] and socket.beats == []


def test_a_ticket_to_authorize_is_no_success_and_is_waited_out() -> None:
    socket = Socket()
    socket.hear("o")
    assert socket.hear(reply(0, TICKET), 1.0) == []
    assert socket.session.state is State.AUTHORIZING
    socket.hear("h", 2.0)
    assert socket.wait(3.9) == []
    (again,) = socket.wait(4.0)
    assert again.startswith("authorize\n1\n")
    assert len(socket.hear(reply(1), 4.1)) == 1  # its sync


def test_the_retry_of_authorize_still_carries_the_token() -> None:
    socket = Socket()
    socket.hear("o")
    socket.hear(reply(0, TICKET), 1.0)
    (again,) = socket.wait(4.0)
    assert "tok" in again.split("\n", 3)[3].replace("tick-1", "")


def test_a_ticket_to_the_sync_is_retried_while_heartbeats_go_on() -> None:
    socket = Socket()
    socket.hear("o")
    socket.hear(ACCEPTED)
    socket.hear(reply(1, {**TICKET, "p-time": 6}), 0.5)
    assert [socket.hear("h", t / 2) + socket.wait(t / 2) for t in range(2, 13)] == [[]] * 11
    assert socket.beats == [2.5, 5.0]
    (again,) = socket.wait(6.5)
    assert json.loads(again.split("\n", 3)[3]) == {**SYNC, "p-ticket": "tick-1"}


@pytest.mark.parametrize("answer", [reply(1, None, 429), reply(1, {**TICKET, "p-captcha": True})])
def test_where_only_waiting_helps_the_socket_stays_and_asks_no_more(answer: str) -> None:
    socket = Socket()
    socket.hear("o")
    socket.hear(ACCEPTED)
    assert socket.hear(answer) == []
    for second in range(1, 61):
        assert socket.hear("h", second) + socket.wait(second) == []
    assert socket.left is None and len(socket.beats) == 24


@pytest.mark.parametrize("answer", [reply(1, "broken", 500), reply(1, {"errorText": "no"}), reply(1, [1])])
def test_a_sync_that_fails_ends_the_socket(answer: str) -> None:
    socket = Socket()
    socket.hear("o")
    socket.hear(ACCEPTED)
    socket.hear(answer)
    assert socket.left is Happening.SYNC_FAILED


def test_an_open_frame_that_never_comes_is_given_up() -> None:
    socket = Socket()
    assert socket.session.due() == 8
    for second in range(1, 8):
        socket.hear("h", second)
        socket.wait(second)
    assert socket.left is None and socket.beats == []
    socket.wait(8)
    assert socket.left is Happening.TIMED_OUT


def test_an_authorize_that_is_never_answered_is_given_up_though_the_server_beats() -> None:
    socket = Socket()
    socket.hear("o", 1.0)
    for second in range(2, 9):
        socket.hear("h", second)
        socket.wait(second)
    assert socket.left is None
    socket.wait(9.0)
    assert socket.left is Happening.TIMED_OUT


def test_a_silent_server_is_given_up_and_any_sign_of_life_counts() -> None:
    socket = Socket().live()
    for second, text in ((9.0, "h"), (18.0, "a[rubbish"), (27.0, PROPS), (36.0, "?")):
        socket.hear(text, second)
        socket.wait(second + 0.5)
    socket.wait(45.9)
    assert socket.left is None
    assert socket.session.due() <= 46.0
    socket.wait(46.0)
    assert socket.left is Happening.SILENT


def test_heartbeats_stand_on_a_grid_and_lateness_does_not_add_up() -> None:
    socket = Socket().live(now=100.0)
    lateness, now = [0.0, 0.3, 0.0, 0.2, 0.4] * 8, 100.0
    for late in lateness:
        now = socket.session.next_beat() + late
        socket.hear("h", now)
        socket.wait(now)
    assert len(socket.beats) == 40
    assert socket.beats == pytest.approx([100 + 2.5 * (n + 1) + late for n, late in enumerate(lateness)])


def test_a_long_pause_costs_one_heartbeat_and_not_a_burst() -> None:
    socket = Socket().live()
    socket.hear("h", 31.0)
    socket.wait(31.0)
    assert socket.beats == [31.0] and socket.session.next_beat() == 32.5


@given(st.lists(st.floats(0.001, 4), min_size=1, max_size=80), st.floats(0, 1e6))
def test_ticked_whenever_due_or_earlier_heartbeats_are_never_far_apart(steps: list[float], start: float) -> None:
    socket = Socket().live(now=start)
    now = start
    for step in steps:
        now = min(now + step, socket.session.due())
        socket.hear("h", now)
        socket.wait(now)
    sent = [start, *socket.beats]
    assert all(after - before <= 2.5 + 1e-6 for before, after in itertools.pairwise(sent))
    assert now - sent[-1] <= 2.5 + 1e-6


def test_a_second_open_frame_is_answered_by_a_heartbeat_only() -> None:
    socket = Socket().live()
    assert socket.hear("o", 1.0) == [] and socket.beats == [1.0]
    assert socket.session.state is State.LIVE


def test_events_that_came_before_the_snapshot_are_not_lost_by_it() -> None:
    socket = Socket()
    for text in ("o", ACCEPTED, PROPS, PROPS.replace('"id":8', '"id":7,"ordStatus":"Filled"'), SNAPSHOT):
        socket.hear(text)
    held = socket.session.store.entities["order"]
    assert set(held) == {7, 8} and held[7]["ordStatus"] == "Filled"
    assert len(socket.events) == 2, "they were told once"
    socket.hear(PROPS.replace("Created", "Deleted"))
    assert set(held) == {7}


def test_a_sync_that_only_a_person_can_help_is_told_to_the_user() -> None:
    socket = Socket()
    for text in ("o", ACCEPTED, 'a[{"s":200,"i":1,"d":{"p-ticket":"t","p-time":3,"p-captcha":true}}]'):
        socket.hear(text)
    assert socket.session.notices == ["sync: a captcha that only a person can solve"]


def test_events_reach_the_store_and_the_user_in_order() -> None:
    socket = Socket().live()
    socket.hear(PROPS, 1.0)
    socket.hear('a[{"e":"hologram","d":1},{"e":"shutdown","d":{"reasonCode":"Maintenance"}}]', 1.1)
    assert socket.session.store.entities["order"][8] == {"id": 8}
    assert [kind for kind, _ in socket.events] == ["props", "hologram", "shutdown"]
    assert socket.left is None  # the server closes after `shutdown` by itself


@pytest.mark.parametrize("text", ["a[{]", "\u2603", "a[\u2603", "z[]", "", "c[]", "a[[[[]]]]", "a" + "[" * 5000, "A[]"])
@pytest.mark.parametrize("phase", range(4))
def test_no_frame_ends_a_socket_or_makes_it_deaf(text: str, phase: int) -> None:
    socket = Socket()
    for step, usual in enumerate(("o", ACCEPTED, SNAPSHOT)):
        if step == phase:
            assert socket.hear(text) == []
        socket.hear(usual)
    socket.hear(text)
    socket.hear(PROPS)
    assert socket.left is None and 8 in socket.session.store.entities["order"]


@pytest.mark.parametrize("deep", [100, 700])
def test_deeply_nested_event_data_is_ignored(deep: int) -> None:
    socket = Socket().live()
    socket.hear('a[{"e":"props","d":' + "[" * deep + "]" * deep + "}]")
    socket.hear(PROPS)
    assert 8 in socket.session.store.entities["order"]


def test_a_protocol_close_ends_it_and_the_rest_of_the_frame_is_not_read() -> None:
    socket = Socket().live()
    socket.hear('c[3000,"Go away!"]', 1.0)
    assert socket.left is Happening.SERVER_CLOSED and "3000 Go away!" in socket.session.over.text
    assert socket.hear(PROPS, 1.1) == [] and 8 not in socket.session.store.entities["order"]


def test_a_users_request_is_sent_answered_and_given_up() -> None:
    socket = Socket().live()
    outcomes: list[Outcome] = []
    for _ in range(2):
        socket.session.request("account/list", lambda outcome, now: outcomes.append(outcome), now=1.0)
    assert socket.sent(1.0) == ["account/list\n2\n\n", "account/list\n3\n\n"]
    socket.hear(reply(3, [{"id": 1}]), 2.0)
    for second in range(2, 32):
        socket.hear("h", second)
        socket.wait(second)
    assert [(one.status, one.data) for one in outcomes] == [(200, [{"id": 1}]), (0, None)]
    assert socket.left is None


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
@pytest.mark.parametrize("happening", Happening, ids=lambda happening: happening.name)
def test_the_table_is_obeyed_and_what_is_absent_from_it_changes_nothing(state: State, happening: Happening) -> None:
    session = Socket().session
    session.state = state
    following = TRANSITIONS[state].get(happening)
    assert session.happen(happening, "because", 1.0) is (following is not None)
    assert session.state is (following or state)
    assert (session.over is not None) is (following is State.OVER)


def test_every_state_can_be_reached_and_only_the_last_has_no_way_out() -> None:
    reached = {State.WAITING} | {after for row in TRANSITIONS.values() for after in row.values()}
    assert reached == set(State) == set(TRANSITIONS)
    assert [state for state in State if not TRANSITIONS[state]] == [State.OVER]


FRAMES = ["o", "h", ACCEPTED, SNAPSHOT, PROPS, reply(0, TICKET), reply(1, TICKET), 'c[3000,"x"]', "a[", "?"]


@given(st.lists(st.tuples(st.sampled_from(FRAMES), st.floats(0, 4)), max_size=30))
def test_in_any_order_of_frames_one_authorize_and_one_sync_and_never_the_sync_first(script: list[Any]) -> None:
    socket, now, sent = Socket(), 0.0, []
    for text, step in script:
        now += step
        sent += socket.hear(text, now) + socket.wait(now)
    endpoints = [text.split("\n")[0] for text in sent]
    assert endpoints == sorted(endpoints)  # every authorize before the sync
    tickets = sum("p-ticket" in text for text, _ in script)
    assert len(endpoints) - len(set(endpoints)) <= tickets  # nothing twice, but for a ticket
    ids = [int(text.split("\n")[1]) for text in sent]
    assert ids == sorted(set(ids))
