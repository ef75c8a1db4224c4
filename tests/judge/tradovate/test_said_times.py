"""The times that a sentence states, held against its trace by an independent reader: none is negative, a praise of
restraint claims no more than was watched, and in what it was watched for nothing came.

The conversations are drawn, their ends and the client's too. The reader knows frames, and none of the judge's code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgspec
import pytest
from brokercert.judge import judge_trace
from brokercert.trace import Body, Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from talks import JUDGING, ROWS, S, Talk, alone, authorize, opened, sync, valid

NEGATIVE = re.compile(r"(?<![\w.])-\d")
STATED = re.compile(r"(\d+\.\d{3}) s\b")
MOST = settings(max_examples=25, deadline=None, derandomize=True)
SEEDS = st.integers(0, 1 << 32)


def refused(rng: Random) -> Talk:
    talk = alone(120)
    authorize(talk, 2, s=401)
    return _more(talk, rng, 2, "authorize\n7\n\n«access-token#1»", "user/syncrequest\n8\n\n{}")


def locked_out(rng: Random) -> Talk:
    talk = _synced()
    talk.client(10 * S, 1, "account/list\n5\n\n")
    talk.broker(10 * S + 900, 1, {"s": 429, "i": 5})
    return _more(talk, rng, 10, "order/list\n7\n\n")


def captcha(rng: Random) -> Talk:
    talk = _synced()
    talk.client(10 * S, 1, "order/item\n5\nid=1\n")
    talk.broker(10 * S + 900, 1, {"s": 200, "i": 5, "d": {"p-ticket": "«p-ticket#1»", "p-time": 5, "p-captcha": True}})
    return _more(talk, rng, 10, "order/item\n7\nid=1\n", 'order/item\n8\nid=1\n{"p-ticket":"«p-ticket#1»"}')


def ticket(rng: Random) -> Talk:
    talk = _synced()
    talk.client(10 * S, 1, "order/item\n5\nid=1\n")
    talk.broker(10 * S + 900, 1, {"s": 200, "i": 5, "d": {"p-ticket": "«p-ticket#1»", "p-time": 5}})
    return _more(talk, rng, 10, "order/item\n7\nid=1\n", 'order/item\n8\nid=1\n{"p-ticket":"«p-ticket#1»"}')


def hollow(rng: Random) -> Talk:
    talk = alone(120)
    authorize(talk, 2, s=200, d={"errorText": "no"})
    opened(talk, 60 * S, 2)
    authorize(talk, 61, conn=2, s=200)
    sync(talk, 62, conn=2, ident=1, d={})
    return _more(talk, rng, 2, "user/syncrequest\n8\n\n{}")


def batch(rng: Random) -> Talk:
    talk = alone(120)
    talk.told.append(r.RuleApplied(t=2 * S, name="last-in-batch", conn=1))
    authorize(talk, 2, s=200)
    return _more(talk, rng, 2, "user/syncrequest\n8\n\n{}")


def _synced() -> Talk:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    return talk


def _more(talk: Talk, rng: Random, since: float, *texts: str) -> Talk:
    """Beats, some of these requests at any time, and perhaps an end of the client's, or of the trace."""
    for at in range(3, 120, 2):
        talk.client(at * S + 1, 1, "[]")
    for text in texts:
        if rng.random() < 0.5:
            talk.client(round((since + rng.choice((0.001, 0.0012, 0.2, 1, rng.uniform(0, 100)))) * S), 1, text)
    if rng.random() < 0.4:
        left = round((since + rng.uniform(0, 100)) * S)
        talk.drop(lambda x: x.t > left)
        talk.exit(left, rng.choice((0, 1)), asked=False)
        talk.ends = max(left, talk.ends - round(rng.uniform(0, 100) * S))
    elif rng.random() < 0.5:
        talk.ends = round((since + rng.uniform(0.1, 110)) * S)
    return talk


TALKS: dict[str, Callable[[Random], Talk]] = {
    "refused": refused,
    "locked out": locked_out,
    "captcha": captcha,
    "ticket": ticket,
    "hollow": hollow,
    "batch": batch,
    "valid": lambda rng: valid(rng.randrange(1 << 32)),
}


def read_at_once(trace: Trace, rng: Random) -> Trace:
    """The same, where some of what the client sent came in one read with what it had sent before: it is told behind the
    broker's answer, and bears an earlier time. What brings a ticket back cannot have.
    """
    records: list[Body] = list(trace.records)
    last = 0  # of what the client sent
    for place, record in enumerate(records):
        if not isinstance(record, r.Frame) or record.sender != "client":
            continue
        before = records[place - 1]
        crossing = isinstance(before, r.Frame) and before.sender == "broker" and "p-ticket" not in str(record.text)
        if crossing and rng.random() < 0.5:
            record = records[place] = msgspec.structs.replace(record, t=max(last, before.t - 240))
        last = record.t
    return trace_of(trace.header, records)


def judged(trace: Trace) -> list[Finding]:
    return judge_trace(trace, ROWS, JUDGING)


@pytest.mark.parametrize("name", TALKS)
@MOST
@given(SEEDS)
def test_no_finding_states_a_negative_time(name: str, seed: int) -> None:
    rng = Random(seed)
    for finding in judged(read_at_once(TALKS[name](rng).trace(), rng)):
        said = f"{finding.observed} {finding.expected} {[m.value for m in finding.measured]}"
        assert not NEGATIVE.search(said), f"{finding.requirement}: {said}"


def restraint(findings: list[Finding]) -> Iterator[Finding]:
    return (f for f in findings if f.verdict is Verdict.PASS and f.form is Form.RESTRAINT and f.evidence)


def watched_until(records: list[Any]) -> int:
    """The client's end, or the trace's."""
    return min((x.t for x in records if isinstance(x, r.SubjectExited)), default=records[-1].t)


@pytest.mark.parametrize("name", TALKS)
@MOST
@given(SEEDS)
def test_a_praise_of_restraint_claims_no_more_than_was_watched(name: str, seed: int) -> None:
    trace = TALKS[name](Random(seed)).trace()
    records: list[Any] = list(trace.records)
    for finding in restraint(judged(trace)):
        since = min(records[number - 1].t for number in finding.evidence)
        for stated in map(float, STATED.findall(finding.observed)):
            looked = (watched_until(records) - since) / S
            assert stated <= looked + 0.001, f"{finding.requirement}: {finding.observed}; watched for {looked:.3f} s"


HOUR = 3600 * S
NOTHING = {  # what a praise says that did not come, and the texts that would be it
    "no request in": re.compile(r"(?!\[\])"),
    "no retry in": re.compile(r"order/item\n\d+\nid=1\n|user/syncrequest"),
}


@pytest.mark.parametrize("name", ["locked out", "captcha"])
@settings(MOST, max_examples=200)
@given(SEEDS)
def test_what_a_praise_says_that_did_not_come_is_nowhere_in_its_hour(name: str, seed: int) -> None:
    trace = TALKS[name](Random(seed)).trace()
    records: list[Any] = list(trace.records)
    praises = [f for f in restraint(judged(trace)) if f.requirement in ("RLP-040", "RLP-070")]
    for finding in praises:
        text = next(text for words, text in NOTHING.items() if words in finding.observed)
        since = min(finding.evidence)
        until = records[since - 1].t + HOUR
        sent = (x for x in records[since:] if isinstance(x, r.Frame) and x.sender == "client" and x.t < until)
        assert not [x.text for x in sent if text.match(str(x.text))], finding.observed


def test_the_reader_has_something_to_read() -> None:
    """Each of the two praises does come, and does not where it must not."""
    for name, row in (("locked out", "RLP-070"), ("captcha", "RLP-040")):
        said = [
            str(f.verdict) for n in range(60) for f in judged(TALKS[name](Random(n)).trace()) if f.requirement == row
        ]
        assert {"pass", "fail", "not observed"} <= set(said)
