"""What each phrase of the judge's sentences claims, and how the records of a trace show it.

A phrase is looked for wherever it stands in a sentence. To add one: a pattern, and a function that says whether it is
so. `tests/matrix/test_truth.py` plants a lie for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from brokercert.matrix.truth.facts import ROUNDED, SECOND, Facts, Said
from brokercert.trace import records as r
from brokercert.verdict import Finding

APART = SECOND // 2  # what ends sockets at once ends the last of them so long after the first
Claim = Callable[[Facts, Finding, "re.Match[str]"], bool]
CLAIMS: list[tuple[re.Pattern[str], Claim]] = []


def claim(pattern: str) -> Callable[[Claim], Claim]:
    """Register what makes a phrase true. A phrase is looked for wherever it stands in a sentence."""

    def register(function: Claim) -> Claim:
        CLAIMS.append((re.compile(pattern), function))
        return function

    return register


def _micros(text: str) -> int:
    return round(float(text) * SECOND)


def _same(a: int, b: int) -> bool:
    return abs(a - b) <= ROUNDED


# What phrases claim.


@claim(r"connection (\d+)\b")
def _exists(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return any(conn == int(match[1]) for _, conn in facts.accepted())


@claim(r"the client exited with status (\d+) at ([\d.]+) s")
def _exited(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return any(x.code == int(match[1]) and _same(x.t, _micros(match[2])) for x in facts.exits())


@claim(r"the client was ended by signal (\d+) at ([\d.]+) s")
def _signalled(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return any(x.code == -int(match[1]) and _same(x.t, _micros(match[2])) for x in facts.exits())


@claim(r"the client ended connection (\d+)")
def _ended(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """It did, and the broker had sent no close before."""
    conn = int(match[1])
    first = min(facts.client_ends(conn), default=None)
    broker = (
        x.t
        for x in facts.trace.records
        if (isinstance(x, r.Ended) and x.conn == conn and x.by == "broker")
        or (isinstance(x, r.Frame) and x.conn == conn and x.opcode == 8 and x.sender == "broker")
    )
    return first is not None and not any(t < first for t in broker)


@claim(r"`([a-z]+/?[a-zA-Z]+)` was sent on connection (\d+), ([\d.]+) s after")
def _sent_after(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """It was sent on that connection so long after a record that the finding cites."""
    sent = [q.t for q in facts.requests if q.conn == int(match[2]) and q.endpoint == match[1].lower()]
    cited = facts.at(one.evidence)
    return any(_same(t - before, _micros(match[3])) for t in sent for before in cited)


@claim(r"a second authorize on connection (\d+), ([\d.]+) s after the first")
def _twice(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    times = [q.t for q in facts.requests if q.conn == int(match[1]) and q.endpoint == "authorize"]
    return any(_same(b - a, _micros(match[2])) for a in times for b in times if b >= a) and len(times) > 1


@claim(r"(\d+) sync requests on connection (\d+)")
def _syncs(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    count = sum(q.conn == int(match[2]) and q.endpoint == "user/syncrequest" for q in facts.requests)
    return count >= int(match[1])


@claim(r"one (sync|authorize) on each of (\d+) (?:new )?socket\(s\)")
def _each_once(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    endpoint = {"sync": "user/syncrequest", "authorize": "authorize"}[match[1]]
    return len({q.conn for q in facts.requests if q.endpoint == endpoint}) >= int(match[2])


KINDS: dict[str, Callable[[Facts, int, int], bool]] = {
    "request": lambda facts, a, b: any(a < q.t <= b for q in (*facts.requests, *facts.rest)),
    "retry": lambda facts, a, b: False,
    "heartbeat": lambda facts, a, b: any(a < s.t <= b and s.by == "client" and s.text == "[]" for s in facts.texts),
    "sync request": lambda facts, a, b: any(a < q.t <= b and q.endpoint == "user/syncrequest" for q in facts.requests),
    "authorize": lambda facts, a, b: any(a < q.t <= b and q.endpoint == "authorize" for q in facts.requests),
    "attempt to reconnect": lambda facts, a, b: any(a < t <= b for t, _ in facts.accepted()),
    "attempt": lambda facts, a, b: any(a < t <= b for t, _ in facts.accepted()),
    "`PONG`": lambda facts, a, b: any(a < s.t <= b and s.by == "client" and s.text == "PONG" for s in facts.texts),
}


@claim(r"\bno (request|retry|heartbeat|sync request|authorize|attempt to reconnect|attempt|`PONG`) in ([\d.]+) s")
def _none(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """After some record that it cites, so long nothing of the kind came: on one connection, where it names one."""
    if "that may have left before" in one.observed:
        return True  # it says of these itself
    took = _micros(match[2]) - ROUNDED
    cited = [t for t in facts.at(one.evidence) if t + took <= facts.times[-1] + ROUNDED] or facts.at(one.evidence)
    named = re.search(r"connection (\d+)", one.observed)
    if match[1] in ("heartbeat", "sync request", "authorize", "`PONG`"):
        conns = {c for n in one.evidence if (c := getattr(facts.trace.records[n - 1], "conn", 0))}
        conns = conns if named is None else {int(named[1])}
        return not cited or any(not _came_on(facts, match[1], c, t, t + took) for t in cited for c in conns or {0})
    return not cited or any(not KINDS[match[1]](facts, t, t + took) for t in cited)


def _came_on(facts: Facts, kind: str, conn: int, a: int, b: int) -> bool:
    only = Facts(facts.trace)
    object.__setattr__(only, "texts", [s for s in facts.texts if s.conn == conn])
    return KINDS[kind](only, a, b)


@claim(r"no credential in any URL, nor in (\d+) line\(s\) of output")
def _clean(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    kinds = ("«access-token#", "«md-token#", "«password#", "«sec#")
    heads = [x.target for x in facts.trace.records if isinstance(x, r.Head | r.RestRequest)]
    return not any(kind in text for kind in kinds for text in (*facts.outputs, *heads))


@claim(r"(«[a-z-]+#\d+») in its output")
def _printed(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    reports = [json.dumps(x.body, ensure_ascii=False) for x in facts.trace.records if isinstance(x, r.SubjectReport)]
    return any(match[1] in text for text in (*facts.outputs, *reports))


@claim(r"the refused token («[a-z-]+#\d+») was sent (\d+) times")
def _sent_so_often(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return sum(q.endpoint == "authorize" and match[1] in q.text for q in facts.requests) >= int(match[2])


@claim(r"its antecedent \((authorized|synced|authorize-sent|refused|shutdown|connected)\) never came")
def _never(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    asked = {(q.conn, q.text.split("\n")[1].strip()) for q in facts.requests if q.endpoint == "authorize"}
    told = [status for _, conn, ident, status in facts.answers if (conn, ident) in asked]
    came = {
        "authorized": any(200 <= status < 300 for status in told),
        "refused": any(status in (401, 403) for status in told),
        "authorize-sent": bool(asked),
        "synced": any(q.endpoint == "user/syncrequest" for q in facts.requests),
        "shutdown": any(s.by == "broker" and '"e":"shutdown"' in s.text.replace(" ", "") for s in facts.texts),
        "connected": any(isinstance(x, r.UpgradeAnswer) and x.status == 101 for x in facts.trace.records),
    }
    return not came[match[1]]


@claim(r"the client closed with (\d+) and left")
def _left(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    closes = [x for x in facts.trace.records if isinstance(x, r.Frame) and x.opcode == 8 and x.sender == "client"]
    return any(x.code == int(match[1]) for x in closes)


@claim(r"no connection took the place of connection (\d+) in ([\d.]+) s")
def _not_replaced(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """After the record that it cites, no connection logged in with the same kind of token and synced, or not, as it. Of
    several sockets of a start the trace alone does not say which of them a later one replaces.
    """
    shape = facts.trace.header.shape
    if shape is not None and shape.sockets > 1:
        return True
    took = _micros(match[2]) - ROUNDED
    own = _work_of(facts, int(match[1]))
    return all(
        not any(t < accepted <= t + took and _work_of(facts, conn) == own for accepted, conn in facts.accepted())
        for t in facts.at(one.evidence)
    )


@claim(r"(\d+) of (\d+) equal sockets came back in ([\d.]+) s")
def _came_back(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """After a record that it cites, so many logged in and synced as its connection had, of as many that stood then."""
    took = _micros(match[3]) + ROUNDED
    cited = [facts.trace.records[n - 1] for n in one.evidence]
    for t, conn in ((x.t, getattr(x, "conn", 0)) for x in cited):
        equal = [(at, c) for at, c in facts.accepted() if _work_of(facts, c) == _work_of(facts, conn)]
        back = sum(t < at <= t + took for at, _ in equal)
        stood = sum(at < t <= min(facts.ends(c), default=t) + APART for at, c in equal)
        if back == int(match[1]) and stood >= int(match[2]):
            return True
    return False


@claim(r"one of (\d+) equal sockets was not given up in ([\d.]+) s of silence")
def _one_stands(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """So many that stood did the same work as a connection that it cites, and one of them was not ended for so long."""
    took = _micros(match[2]) - ROUNDED
    cited = [facts.trace.records[n - 1] for n in one.evidence]
    for t, conn in ((x.t, getattr(x, "conn", 0)) for x in cited):
        work = _work_of(facts, conn)
        ends = [
            min(facts.ends(c), default=facts.times[-1])
            for at, c in facts.accepted()
            if at <= t and _work_of(facts, c) == work
        ]
        stood = [end for end in ends if end > t]
        if len(stood) >= int(match[1]) and max(stood) >= t + took:
            return True
    return False


def _work_of(facts: Facts, conn: int) -> tuple[str, str]:
    """The kind of token that it logged in with, and what it asked to be told."""
    asked = [q for q in facts.requests if q.conn == conn]
    logins = [q.text for q in asked if q.endpoint == "authorize"]
    syncs = [q.text.partition("\n\n")[2] for q in asked if q.endpoint == "user/syncrequest"]
    kind = re.search(r"«([a-z-]+)#", logins[0]) if logins else None
    return kind[1] if kind else "", syncs[0] if syncs else ""


@claim(r"first attempt after ([\d.]+) s(?: on the lane of connection \d+)?, ([\d.]+) s of it in a penalty")
def _in_penalty(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """So long after a record that it cites another one was. For so long of that a penalty ran whose ticket it cites;
    for at least as long one that only a person redeems, or a lock-out.
    """
    took, waited = _micros(match[1]), _micros(match[2])
    cited = facts.at(one.evidence)
    lost = [t for t in cited if any(_same(other - t, took) for other in cited)]
    ran = any(_ran_for(said, t, waited, waited < took) for said in _penalties(facts, one) for t in lost)
    return waited <= took and ran


def _penalties(facts: Facts, one: Finding) -> list[Said]:
    """The tickets and the answers of 429 that a finding cites."""
    said = [s for s in facts.texts if s.by == "broker" and s.number in one.evidence]
    return [s for s in said if _ticket(s) or re.search(r'"s"\s*:\s*429\b', s.text)]


def _ran_for(said: Said, since: int, waited: int, over: bool) -> bool:
    """Whether that penalty ran for so long from then on; no longer, where it is said to have been `over`."""
    time = re.search(r'"p-time"\s*:\s*([\d.]+)', said.text)
    if time is None or re.search(r'"p-captcha"\s*:\s*true', said.text):
        return said.t <= since
    left = said.t + _micros(time[1]) - since
    return said.t <= since and (_same(left, waited) if over else left >= waited - ROUNDED)


@claim(r"(\d+) attempts in ([\d.]+) s")
def _tried(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    took, count = _micros(match[2]) + ROUNDED, int(match[1])
    times = sorted([t for t, _ in facts.accepted()] + [q.t for q in facts.rest])
    return any(times[n + count - 1] - times[n] <= took for n in range(len(times) - count + 1))


@claim(r"the user was told ([\d.]+) s after the refusal")
def _told(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return any(isinstance(x, r.SubjectReport) and x.event == "error" for x in facts.trace.records)


def _requests_on(facts: Facts, conn: int) -> list[Said]:
    return [q for q in facts.requests if q.conn == conn]


def _cited(facts: Facts, one: Finding) -> list[Said]:
    """The requests that a finding cites."""
    return [q for q in facts.requests if q.number in one.evidence]


def _ticket(said: Said) -> str:
    found = re.search(r'"p-ticket"\s*:\s*"([^"]+)"', said.text)
    return str(json.loads(f'"{found[1]}"')) if found else ""


@claim(r"authorized again before any other request")
def _again_first(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """The cited authorize is its connection's first request."""
    cited = [q for q in _cited(facts, one) if q.endpoint == "authorize"]
    return bool(cited) and all(_requests_on(facts, q.conn)[0].number == q.number for q in cited)


@claim(r"the ticket was recognised: it was brought back")
def _brought(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return any(_ticket(q) for q in _cited(facts, one))


@claim(r"the ticket was recognised: the request was sent again")
def _again(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """Of an endpoint that it cites there are two requests."""
    endpoints = [q.endpoint for q in facts.requests]
    return any(endpoints.count(q.endpoint) > 1 for q in _cited(facts, one))


@claim(r"the identical request plus its ticket")
def _with_ticket(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """A request that it cites carries a ticket that the broker had sent before."""
    sent = {_ticket(s): s.t for s in reversed(facts.texts) if s.by == "broker" and _ticket(s)}
    return any(_ticket(q) in sent and sent[_ticket(q)] <= q.t for q in _cited(facts, one))


@claim(r"the retry was sent without `p-ticket`")
def _without_ticket(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return any(not _ticket(q) for q in _cited(facts, one))


@claim(r"(\d+) requests on a connection, no id twice")
def _ids(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """Some connection has as many, each with an id of its own."""
    conns = {q.conn for q in facts.requests}
    ids = [[q.text.split("\n")[1].strip() for q in _requests_on(facts, conn)] for conn in conns]
    return any(len(of) == int(match[1]) and len(set(of)) == len(of) for of in ids)


@claim(r"at most (\d+) heartbeats in (\d+) s on an authorized socket")
def _beats(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """On no connection there were more."""
    span = int(match[2]) * SECOND
    for conn in {conn for _, conn, _, status in facts.answers if 200 <= status < 300}:
        times = [s.t for s in facts.texts if s.conn == conn and s.by == "client" and s.text.strip() == "[]"]
        if any(sum(a <= t < a + span for t in times) > int(match[1]) for a in times):
            return False
    return True


@claim(r"`([a-z]+/?[a-zA-Z]+)` came under id (\S+), which `([a-z]+/?[a-zA-Z]+)` had")
def _same_id(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    named = {(q.endpoint, q.text.split("\n")[1].strip().lstrip("0")) for q in _cited(facts, one)}
    return {(match[1].lower(), match[2].lstrip("0")), (match[3].lower(), match[2].lstrip("0"))} <= named


@claim(r"`([a-z]+/?[a-zA-Z]+)` came again under its id (\S+), .* after it had drawn a ticket there")
def _again_under_it(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """Two that it cites ask for it under that id, and a ticket had come between them."""
    cited = [q for q in _cited(facts, one) if q.endpoint == match[1].lower()]
    under = [q for q in cited if q.text.split("\n")[1].strip().lstrip("0") == match[2].lstrip("0")]
    tickets = [s.t for s in facts.texts if s.by == "broker" and _ticket(s)]
    return len(under) > 1 and any(under[0].t <= t <= under[-1].t for t in tickets)


@claim(r"the first request on new connection (\d+) was `([^`]+)`")
def _first_was(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    requests = _requests_on(facts, int(match[1]))
    return bool(requests) and requests[0].endpoint == match[2].lower()


@claim(r"a sync request was sent after authorize|the sync request came after it")
def _synced(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return any(
        a.endpoint == "authorize" and b.endpoint == "user/syncrequest" and a.conn == b.conn and a.number < b.number
        for a in facts.requests
        for b in facts.requests
    )


@claim(r"(\d+) shards, each once")
def _shards(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """There were sync requests with as many remainders."""
    found = {re.search(r'"remainder"\s*:\s*(\d+)', q.text) for q in facts.requests if q.endpoint == "user/syncrequest"}
    return len({x[1] for x in found if x}) == int(match[1])


@claim(r"(«[a-z-]+#\d+») in a URL")
def _in_url(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    heads = [x for x in facts.trace.records if isinstance(x, r.Head | r.RestRequest)]
    return any(match[1] in f"{x.target} {getattr(x, 'headers', '')}" for x in heads)


@claim(r"its output holds («[a-z-]+#\d+»)")
def _holds(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return _printed(facts, one, match)


@claim(r"(\d+) line\(s\) of output, no credential among them")
def _no_credential(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    return not any(kind in text for kind in ("«session#", "«token#") for text in facts.outputs)


@claim(r"(\d+) upgrade request\(s\), each with session and token")
def _with_both(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    heads = [x.target for x in facts.trace.records if isinstance(x, r.Head) and x.upgrade]
    return len(heads) >= int(match[1]) and all("session=" in x and "token=" in x for x in heads)


@claim(r"`(\w+)` was raised (\d+) time")
def _raised(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """That often at least in the whole trace."""
    bodies = [x.body for x in facts.trace.records if isinstance(x, r.SubjectReport) and x.event == "raised"]
    return [body.get("name") for body in bodies].count(match[1]) >= int(match[2])


@claim(r"authorized with a fresh token, (after one refusal|without a refusal)")
def _fresh(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    refused = any(status in (401, 403) for _, _, _, status in facts.answers)
    return refused is (match[1] == "after one refusal")


@claim(r"a snapshot of ([\d.]+) MiB was taken")
def _large(facts: Facts, one: Finding, match: re.Match[str]) -> bool:
    """A text frame of that size was sent."""
    sizes = [len(s.text) / 2**20 for s in facts.texts if s.by == "broker"]
    return any(abs(size - float(match[1])) < 0.1 for size in sizes)
