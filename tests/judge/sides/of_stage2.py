"""Conversations of Stage 2 with one quantity each, in seconds or a count: what stands on either side of a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asked import answer, asked_for, outcome
from beating import logged_in as beating
from brokercert.judge.tradovate.model.shape import sync_of
from brokercert.trace import Lane, Shape
from brokercert.trace import records as r
from brokercert.verdict import worst
from stories import Story, right
from talks import JUDGING, S, Talk, alone, attempts, authorize, healthy, opened, sync, valid
from test_processing import CALM, judged
from traces import rows_of
from ways_back import back, ended, logged_in, started_again

STAGE2 = "tradovate-stage2"
FRESH = "«access-token#2»"
TICKET = "«p-ticket#1»"


# Stage 2: login.


def upgrade_takes(value: float) -> Talk:
    talk = Talk(ends=60 * S)
    t = S
    talk.told += [
        r.SubjectStarted(t=0),
        r.Accepted(t=t, conn=1),
        r.Head(t=t + us(value), conn=1, method="GET", target="/v1/websocket", headers=(("host", "x"),), upgrade=True),
        r.UpgradeAnswer(t=t + us(value) + 10, conn=1, status=101),
    ]
    return talk


def us(value: float) -> int:
    return round(value * S)


def unanswered_ping(value: float) -> Talk:
    """A ping that is watched for so long, and never answered."""
    talk = logged_in(20 + value)
    talk.told.append(r.Frame(t=20 * S, conn=1, sender="broker", ordinal=0, opcode=9, text="alive?"))
    return talk


def authorize_takes(value: float) -> Talk:
    talk = alone(120)
    authorize(talk, 1 + value, s=200)
    sync(talk, 1 + value + 0.02, ident=1, d={})
    healthy(talk, 120)
    return talk


def asks_after(value: float) -> Talk:
    talk = alone(120)
    authorize(talk, 1.1, s=200)
    sync(talk, 1.11 + value, ident=1, d={})
    healthy(talk, 120)
    return talk


def authorize_again(value: float) -> Talk:
    talk = alone(60)
    authorize(talk, 2)
    authorize(talk, 2 + value, ident=1, s=200)
    return talk


def never_connects(value: float) -> Talk:
    return Talk(ends=us(value), told=[r.SubjectStarted(t=0)])


def open_held(value: float) -> Talk:
    talk = alone(60, opens=False)
    talk.told.append(r.Withheld(t=S, what="o", conn=1))
    talk.told.append(r.Released(t=S + us(value), what="o", conn=1))
    talk.frame(S + us(value), 1, "o")
    authorize(talk, 1 + value + 0.2, s=200)
    return talk


def never_opened(value: float) -> Talk:
    talk = alone(200, opens=False)
    talk.told.append(r.RuleApplied(t=S, name="open-never", conn=1))
    gone = S + us(value)
    talk.told.append(r.Ended(t=gone, conn=1, by="client", how="fin"))
    opened(talk, gone + S, 2)
    authorize(talk, gone / S + 1.5, conn=2, s=200)
    return talk


def refused_so_often(value: float) -> Talk:
    """Each on a socket of its own, 5 s apart."""
    talk = alone(200)
    authorize(talk, 2, s=401)
    for number in range(1, round(value)):
        opened(talk, us(1.5 + 5 * number), 1 + number)
        authorize(talk, 2 + 5 * number, conn=1 + number, s=401)
    return talk


def refused_within(value: float) -> Talk:
    """Four times, the last so long after the first."""
    talk = alone(300)
    for number, at in enumerate((2, 12, 22, 2 + value)):
        if number:
            opened(talk, us(at - 0.5), 1 + number)
        authorize(talk, at, conn=1 + number, s=401)
    return talk


def one_use_of_two(value: float) -> Talk:
    """Four uses, two of them so far apart on different sockets."""
    talk = alone(300)
    for number, at in enumerate((2, 2 + value, 12, 22)):
        if number:
            opened(talk, us(at - 0.05), 1 + number)
        authorize(talk, at, conn=1 + number, s=401)
    return talk


def tried_after_refusal(count: float, every: float) -> Talk:
    talk = alone(200)
    authorize(talk, 2, s=401)
    attempts(talk, 10 * S, round(count), every)
    return talk


# Stage 2: heartbeats.


def beats_every(value: float) -> Talk:
    talk = beating(400, beats=value)
    healthy(talk, 400)
    return talk


def flood(value: float) -> Talk:
    talk = alone(60)
    authorize(talk, 2, s=200)
    for number in range(round(value)):
        talk.client(us(10 + number * 19.9 / value), 1, "[]")
    return talk


def silent_for(value: float) -> Talk:
    talk = beating(200)
    talk.frame(10 * S, 1, "h")
    talk.fault(10 * S, "silent-dead", conn=1)
    talk.end(10 * S + us(value), 1, "client")
    return talk


def load_of(value: float = 40, every: float = 0.1, beat: float = 12, asked: float | None = None) -> Talk:
    """No `h` from 10 s on, messages instead; a heartbeat so many seconds later."""
    talk = beating(90, beats=None)
    talk.frame(10 * S, 1, "h")
    for number in range(int(value / every)):
        talk.broker(10 * S + us((number + 1) * every), 1, {"e": "clock", "d": "{}"})
    if asked is not None:
        talk.told.append(r.Load(t=15 * S, asked=asked, reached=1 / every, sent=50, dropped=1))
    talk.client(9 * S, 1, "[]")
    talk.client(us(10 + beat), 1, "[]")
    return talk


def quiet_for(value: float) -> Talk:
    talk = beating(160)
    healthy(talk, 160)
    for at in range(1, 161, 4):
        if not 20 < at < 20 + value:
            talk.broker(us(at + 0.1), 1, {"e": "clock", "d": "{}"})
    talk.broker(us(20.1), 1, {"e": "clock", "d": "{}"})
    talk.broker(us(20.1 + value), 1, {"e": "clock", "d": "{}"})
    return talk


def old_beats_for(value: float) -> Talk:
    """The old socket's last heartbeat, so long after the new one was authorized."""
    talk = valid(1, 2)
    old, new = talk.lives
    talk.drop(lambda x: isinstance(x, r.Ended) and x.conn == old.conn)
    talk.client(new.granted + us(value), old.conn, "[]")
    return talk


def second_stream(value: float) -> Talk:
    """The new socket beats so many times as often as the old."""
    talk = valid(1, 2)
    old, new = talk.lives
    talk.drop(lambda x: isinstance(x, r.Frame) and x.text == "[]")
    for life, every in ((old, 2.5), (new, 2.5 / value)):
        at = life.granted + us(every)
        while at < life.end:
            talk.client(at, life.conn, "[]")
            at += us(every)
    return talk


# Stage 2: coming back.


def back_after(value: float) -> Talk:
    talk = logged_in(200)
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    ended(talk, 10)
    back(talk, 10 + value)
    return talk


def fin_after_event(value: float) -> Talk:
    """Never back after a FIN that came so long after the last event: which of two rows judges it?"""
    talk = logged_in(200)
    healthy(talk, 10 + value)
    talk.broker(10 * S, 1, {"e": "clock", "d": "{}"})
    ended(talk, 10 + value)
    return talk


def broker_closes_for(value: float) -> Talk:
    """12 s after the close frame, of which the broker's own closing took so many."""
    talk = logged_in(200)
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    talk.close(10 * S, 1, "broker", 1001)
    ended(talk, 10 + value)
    back(talk, 10 + 14.9)
    return talk


def overlap(value: float) -> Talk:
    talk = valid(1, 2)
    old, new = talk.lives
    talk.drop(lambda x: isinstance(x, r.Ended) and x.conn == old.conn)
    talk.request(new.granted + us(value), old, "account/list", takes=10)
    return talk


def ticketed(retry: float, wait: float = 10) -> Talk:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    for at in range(3, 120):
        talk.client(us(at + 0.3), 1, "[]")
    talk.client(10 * S, 1, 'order/item\n2\nid=1\n{"accountId":1}')
    talk.broker(10 * S, 1, {"s": 200, "i": 2, "d": {"p-ticket": TICKET, "p-time": wait}})
    talk.client(us(10 + wait + retry), 1, f'order/item\n3\nid=1\n{{"accountId":1,"p-ticket":"{TICKET}"}}')
    return talk


def after_429(value: float) -> Talk:
    talk = alone(max(200, value + 20))
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    talk.client(10 * S, 1, "order/list\n2\n\n")
    talk.broker(10 * S, 1, {"s": 429, "i": 2})
    talk.client(us(10 + value), 1, "order/list\n3\n\n")
    return talk


def captcha_again(value: float) -> Talk:
    talk = alone(max(200, value + 20))
    authorize(talk, 2, s=200)
    sync(talk, 10, ident=1, d={"p-ticket": TICKET, "p-time": 5, "p-captcha": True})
    sync(talk, 10 + value, ident=2, ticket=TICKET, d={})
    return talk


def outage(value: float, row_fault: str = "upgrades-answered") -> Talk:
    """Away from 10 s, healed at 40 s; authorized again so long after that."""
    talk = logged_in(300)
    ended(talk, 10)
    talk.fault(40 * S, row_fault)
    back(talk, 39 + value)
    return talk


def control(value: float) -> Talk:
    """Malformed JSON on the first socket, and no way back from a close; a second start, and a plain close of it that
    was watched for so long.
    """
    talk = logged_in(207 + value)
    for at in range(4, 100, 2):
        talk.client(at * S, 1, "[]")
    talk.frame(50 * S, 1, 'a[{"broken"')
    ended(talk, 100)
    started_again(talk, 200, 5, closed=5)
    return talk


def stops(value: float) -> Talk:
    """Comes back so long after it was asked to stop, and stays."""
    talk = logged_in(60)
    healthy(talk, 20)
    talk.stop(20 * S)
    talk.close(us(20.1), 1, "client", 1000)
    talk.end(us(20.1), 1, "client")
    opened(talk, 20 * S + us(value), 2)
    talk.end(20 * S + us(value) + 1000, 2, "client")
    talk.exit(34 * S, 0, asked=True)
    return talk


def leaves(value: float) -> Talk:
    talk = logged_in(60)
    healthy(talk, 20)
    talk.stop(20 * S)
    talk.close(us(20.1), 1, "client", 1000)
    talk.end(us(20.1), 1, "client")
    talk.exit(20 * S + us(value), 0, asked=True)
    return talk


def client_closes_for(value: float) -> Talk:
    """The client gives up at 10 s, its end comes so long after its close frame, and the attempt 9 s after that."""
    talk = logged_in(300)
    healthy(talk, 9)
    talk.fault(9 * S, "silent-dead", conn=1)
    talk.close(60 * S, 1, "client", 1000)
    talk.end(60 * S + us(value), 1, "client")
    back(talk, 60 + value + 9)
    return talk


def lost_together(value: float) -> Talk:
    """Two sockets that are lost so far apart; nine attempts within 5 s: within the limit of two, not of one."""
    talk = logged_in(300)
    opened(talk, 3 * S, 2)
    authorize(talk, 4, conn=2, s=200)
    talk.end(20 * S, 1)
    talk.end(20 * S + us(value), 2)
    since = 20 * S + us(value) + 10
    talk.told.append(r.Window(t=since + 100 * S, since=since, name="outage: away"))
    attempts(talk, since + S, 9, 0.55)
    return talk


def token_before(value: float) -> Talk:
    """A token is fetched 8 s after the loss, and the connection follows its answer so long after."""
    talk = logged_in(200)
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    ended(talk, 10)
    target = "/v1/auth/renewAccessToken"
    talk.told += [
        r.Accepted(t=18 * S, conn=50),
        r.Head(t=18 * S, conn=50, method="GET", target=target, headers=(), upgrade=False),
        r.RestRequest(t=18 * S, conn=50, ordinal=1, method="GET", target=target),
        r.RestAnswer(t=18 * S, conn=50, ordinal=1, status=200, body=f'{{"accessToken":"{FRESH}"}}'),
    ]
    back(talk, 18 + value)
    return talk


@dataclass(frozen=True)
class Shaped:
    """A conversation of a client that is known to open two equal sockets."""

    talk: Talk

    @property
    def shape(self) -> Shape:
        first = next(iter(JUDGING.folded(self.talk.trace()).connections.values()))
        lane = Lane(endpoint="/v1/websocket", credential="access-token", sync=sync_of(first), count=2)
        return Shape(lanes=(lane,))

    def verdict(self, row: str, **changed: Any) -> str:
        return self.talk.verdict(row, shape=self.shape, **changed)

    def findings(self, **changed: Any) -> list[Any]:
        return self.talk.findings(shape=self.shape, **changed)


def back_in_turn(value: float) -> Shaped:
    """Two are lost together; one is back after 9 s, and the other so long after that one."""
    talk = logged_in(200)
    opened(talk, 4 * S, 2)
    authorize(talk, 5, conn=2, s=200)
    sync(talk, 6, conn=2, ident=1, d={})
    for conn in (1, 2):
        talk.broker(us(9.5), conn, {"e": "clock", "d": "{}"})
        ended(talk, 10, conn)
    back(talk, 19, 3)
    back(talk, 19 + value, 4)
    return Shaped(talk)


def series(value: float) -> Talk:
    """A loss, a way back in time, a second loss so long after the first, and none after that."""
    talk = logged_in(300)
    talk.broker(9 * S, 1, {"e": "clock", "d": "{}"})
    ended(talk, 10)
    back(talk, 12)
    healthy(talk, 10 + value, since=14, conn=2)
    talk.broker(us(9 + value), 2, {"e": "clock", "d": "{}"})
    ended(talk, 10 + value, 2)
    return talk


def away(value: float, delays: tuple[float, ...] = (1, 2, 4, 8, 16)) -> Talk:
    """An outage of that length, with these delays between attempts."""
    talk = logged_in(400)
    talk.end(20 * S, 1)
    talk.told.append(r.Window(t=20 * S + us(value), since=20 * S, name="outage: away"))
    at = 20.0
    for number, delay in enumerate(delays):
        at += delay
        attempts(talk, us(at), 1, 1, first=100 + number)
    return talk


def tail_of(value: float) -> Talk:
    """One attempt after a second, and so many delays of 1.5 s after it: neither grown nor long."""
    return away(100, (1, *[1.5] * round(value)))


def grown(value: float) -> Talk:
    """The last five delays are so many times the first, of 1 s."""
    return away(100, (1, 1, *[value] * 5))


def long_enough(value: float) -> Talk:
    return away(100, (4, 4, *[value] * 5))


def attempts_of(count: float, span: float) -> Talk:
    """So many attempts in such a span, and a long delay at the end."""
    talk = logged_in(400)
    talk.end(20 * S, 1)
    talk.told.append(r.Window(t=180 * S, since=20 * S, name="outage: away"))
    every = (span - 0.5) / count
    attempts(talk, 30 * S, round(count), every)
    attempts(talk, us(30 + span + 6), 6, 8, first=300)  # delays that grew, so that their number alone is judged
    return talk


def crossed(value: float) -> Talk:
    """Authorize is refused at 5 s. A client that waits for nothing had asked before, and asks again so long after."""
    talk = alone(120)
    authorize(talk, 2)
    talk.broker(5 * S, 1, {"i": 0, "s": 401})
    for number, at in enumerate((3, 5 + value), 1):
        sync(talk, at, ident=number)
    return talk


def beat_after_h(value: float) -> Talk:
    """The only heartbeat under a load comes so long after the last `h`."""
    return load_of(beat=value)


def reached(value: float) -> Talk:
    """A load whose rate was this share of what was asked for."""
    return load_of(asked=10 / value)


def left_in_quiet(value: float) -> Talk:
    """The client leaves so long into a time of nothing but `h`."""
    talk = beating(160)
    healthy(talk, 20 + value)
    for at in range(1, 21, 4):
        talk.broker(us(at), 1, {"e": "clock", "d": "{}"})
    talk.broker(20 * S, 1, {"e": "clock", "d": "{}"})
    talk.drop(lambda x: isinstance(x, r.Frame) and x.t > us(20 + value))
    talk.end(us(20 + value), 1, "client")
    return talk


def few_beats(value: float) -> Talk:
    """The old socket has so many heartbeats; the new one beats three times as often."""
    talk = valid(1, 2)
    old, new = talk.lives
    talk.drop(lambda x: isinstance(x, r.Frame) and x.text == "[]")
    for number in range(round(value)):
        talk.client(old.granted + us(2.5 * (number + 1)), old.conn, "[]")
    at = new.granted + us(0.8)
    while at < new.end:
        talk.client(at, new.conn, "[]")
        at += us(0.8)
    return talk


def unanswered_for(value: float) -> Talk:
    """A request that is never answered is told as failed so long after it was sent."""
    talk = asked_for(200)
    answer(talk, 12, 2)
    outcome(talk, 13, 2)
    outcome(talk, 10 + value, 1, ok=False, status=0)
    return talk


def given_up_after(value: float) -> Talk:
    """A request is told as never answered so long after it was sent, and answered with success a second later."""
    talk = unanswered_for(value)
    answer(talk, 11 + value, 1)
    return talk


def left_after_penalty(value: float) -> Talk:
    """A client leaves its socket so long after the end of a ticket of 20 s, which it never brought back there."""
    talk = alone(200)
    authorize(talk, 9, s=200)
    sync(talk, 10, ident=1, d={"p-ticket": TICKET, "p-time": 20})
    left = 30.01 + value
    healthy(talk, left)
    talk.end(round(left * S), 1, "client")
    back(talk, left + 1)
    healthy(talk, 200, since=left + 2, conn=2)
    return talk


def dropped(value: float, *, held: str) -> Talk:
    """What the client holds after twenty drops is that much more than after five."""
    talk = logged_in(300)
    usual = {"processes": 1, "descriptors": 20, "threads": 4, "memory": 200 * 2**20}
    for count in range(20):
        talk.told.append(r.Fault(t=(10 + count) * S, requested=0, name="fin"))
    more = round(value) if held != "memory" else round(value * usual["memory"])
    talk.told.append(r.Resources(t=60 * S, name="after drop 5", **usual))
    talk.told.append(r.Resources(t=120 * S, name="after drop 20", **{**usual, held: usual[held] + more}))
    return talk


def no_second_sync_for(value: float) -> Talk:
    """Watched for so long after the answer to the first."""
    return logged_in(3.01 + value)


def watched_ids(value: float) -> Talk:
    talk = alone(2 + value)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    return talk


def stable_for(value: float) -> Talk:
    talk = logged_in(2.01 + value)
    healthy(talk, 2 + value)
    return talk


def beating_for(value: float) -> Talk:
    talk = beating(2.01 + value)
    healthy(talk, 2 + value)
    return talk


def refused_for(value: float) -> Talk:
    talk = alone(2.01 + value)
    authorize(talk, 2, s=401)
    return talk


def locked_for(value: float) -> Talk:
    talk = alone(10 + value)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    talk.client(10 * S, 1, "order/list\n2\n\n")
    talk.broker(10 * S, 1, {"s": 429, "i": 2})
    return talk


def captcha_for(value: float) -> Talk:
    talk = alone(10.01 + value)
    authorize(talk, 2, s=200)
    sync(talk, 10, ident=1, d={"p-ticket": TICKET, "p-time": 5, "p-captcha": True})
    return talk


def never_synced(value: float) -> Talk:
    talk = alone(2.01 + value)
    authorize(talk, 2, s=200)
    healthy(talk, 2 + value)
    return talk


@dataclass(frozen=True)
class Findings:
    """What a check said of something that is no whole conversation."""

    said: list[Any]

    def verdict(self, row: str, **changed: Any) -> str:
        return str(worst(one.verdict for one in self.said))

    def findings(self, **changed: Any) -> list[Any]:
        return self.said


def settles(value: float) -> Findings:
    """Wrong, and asked for last so long after the ledger."""
    story = Story()
    story.ledger()
    story.shot(10.1, {"order": []})
    story.shot(10 + value, {"order": []})
    return Findings(story.findings())


def stays_equal(value: float) -> Findings:
    """Right, and asked for once more so long after it was."""
    story = Story()
    story.ledger()
    story.shot(10.1, right())
    story.shot(10.11 + value, right())
    return Findings(story.findings())


def kept_order(value: float) -> Findings:
    """An order that is asked for while away, and sent so long after that."""
    return Findings(kept(sent=value))


def kept(sent: float) -> list[Any]:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    talk.end(20 * S, 1)
    body = {"endpoint": "order/placeorder", "body": {"symbol": "ESH6", "price": 4487}}
    talk.told.append(r.Command(t=21 * S, id=1, command="request", body=body))
    opened(talk, us(21.1), 2)
    authorize(talk, 21.2, conn=2, s=200)
    sync(talk, 21.3, conn=2, ident=1, d={})
    talk.client(us(21 + sent), 2, 'order/placeorder\n7\n\n{"symbol":"ESH6","price":4487}')
    talk.broker(us(21 + sent) + 1, 2, {"s": 200, "i": 7, "d": {"orderId": 5}})
    talk.report(us(21 + sent) + 2, "outcome", id=1, status=200, ok=True, error="")
    offers = ("wire", "tokens", *rows_of(STAGE2).by_id["REC-095"].needs)
    return [one for one in talk.findings(offers=offers) if one.requirement == "REC-095"]


MS = 1000


def burst(took: float = 0.001, **more: Any) -> Findings:
    """Each message is reported so many seconds after it was written."""
    return Findings(judged(lambda n: us(took), **more))


def lagging(lag: float) -> Findings:
    """The echo took so long once; the client was slow for a tenth of its messages, and that is not its median."""
    canary = (*CALM[:5], (S + 100 * MS, us(lag)), *CALM[10:])
    return Findings(judged(lambda n: 150 * MS if 300 <= n < 400 else MS, canary))


def crowded(cores: float) -> Findings:
    """Other programs used so much, and the client fell behind bit by bit."""
    return Findings(judged(lambda n: min(1 + n, 150) * MS, others=cores))


def busy_for(share: float) -> Findings:
    """The echo lagged for that part of the time, and the client was slow throughout."""
    lag = round(900 * MS * share / (4 - share))  # four of them in 0.9 s, and the last one's own length
    canary = tuple((S + 300 * MS * n, lag) for n in range(4))
    return Findings(judged(lambda n: 190 * MS, canary))


def fewer(count: float) -> Findings:
    return Findings(judged(lambda n: MS, count=round(count)))


def slower(times: float) -> Findings:
    """The burst took so many times as long as it should."""
    return Findings(judged(lambda n: MS, at=lambda n: S + round(n * MS * times)))


def unknown_words(value: float) -> Talk:
    """The broker's last message so long before the client leaves."""
    talk = beating(60)
    healthy(talk, 50)
    talk.drop(lambda x: isinstance(x, r.Frame) and x.sender == "broker" and x.t > 40 * S)
    talk.frame(40 * S, 1, "h")
    talk.drop(lambda x: isinstance(x, r.Frame) and x.t > us(40 + value))
    talk.end(us(40 + value), 1, "client")
    return talk


def gap_before(value: float) -> Talk:
    """A gap of 7 s ended so long before the client leaves."""
    talk = beating(100)
    healthy(talk, 33)
    talk.frame(33 * S, 1, "h")
    for number in range(20):
        talk.frame(us(40 + number * 2.5), 1, "h")
    talk.drop(lambda x: isinstance(x, r.Frame) and x.t > us(40 + value))
    talk.end(us(40 + value), 1, "client")
    return talk


def two_sockets_for(value: float) -> Talk:
    """One socket is lost, two equal ones take its place, and one of them is given up so long after its sync."""
    talk = logged_in(120)
    healthy(talk, 30)
    ended(talk, 30)
    back(talk, 32, 2)
    back(talk, 32.1, 3)
    since = 34.1 + 0.01  # the answer to the later sync
    for conn in (2, 3):
        talk.client(us(since + 0.5), conn, "[]")
    ended(talk, since + value, 3, "client")
    return talk
