"""When watching ended: what an end of the client makes of a watch, asked for, explained by a refusal, or neither."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.watching import Cause, Watch
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Verdict
from talks import S, Talk, alone, authorize
from traces import bench_of

End = Callable[[Talk], None]
WINDOW = 30 * S


def bench_at(talk: Talk) -> Bench:
    found: Bench = bench_of("tradovate-stage2", talk.trace().records, "RLP-040")
    return found


def lives(talk: Talk) -> None:
    """It goes on."""


def dies(talk: Talk) -> None:
    talk.told.append(r.SubjectOutput(t=10 * S, stream="err", text="RuntimeError: no"))
    talk.exit(11 * S, 3)


def leaves(talk: Talk) -> None:
    talk.exit(11 * S, 0)


def asked(talk: Talk) -> None:
    talk.stop(10 * S)
    talk.exit(11 * S, 0, asked=True)


def asked_and_stays(talk: Talk) -> None:
    talk.stop(10 * S)


def refused(talk: Talk) -> None:
    authorize(talk, 9, ident=5, s=401)
    talk.exit(11 * S, 1)


def refused_before(talk: Talk) -> None:
    authorize(talk, 4, ident=5, s=401)
    talk.exit(11 * S, 1)


def refused_and_granted(talk: Talk) -> None:
    authorize(talk, 8, ident=5, s=401)
    authorize(talk, 9, ident=6, s=200)
    talk.exit(11 * S, 1)


def watched(end: End, since: float = 5, until: float = 60, *, owed: bool = False) -> Watch:
    talk = alone(until)
    if end not in (refused_before, refused_and_granted):
        authorize(talk, 2, s=200)
    end(talk)
    bench = bench_at(talk)
    return (bench.owed if owed else bench.barred)(round(since * S), WINDOW)


@pytest.mark.parametrize(
    ("end", "since", "time", "short", "died"),
    [
        (lives, 5, 55, False, False),
        (lives, 40, 20, True, False),
        (dies, 5, 6, True, True),
        (leaves, 5, 6, True, True),
        (asked, 5, 5, True, False),
        (asked, 10, 1, False, False),
        (asked_and_stays, 5, 5, True, False),
        (refused, 5, 6, False, False),
        (refused_before, 5, 6, True, False),
        (refused_and_granted, 5, 6, True, True),
        (dies, 12, 0, True, True),
        (asked, 12, 0, True, False),
    ],
)
def test_restraint_is_watched_until_the_client_ends(
    end: End, since: float, time: float, short: bool, died: bool
) -> None:
    watch = watched(end, since)
    assert (watch.time, watch.short, watch.died) == (time * S, short, died)


@pytest.mark.parametrize(
    ("end", "short"),
    [
        (lives, False),
        (dies, False),
        (leaves, False),
        (asked, True),
        (asked_and_stays, True),
        (refused, False),
        (refused_before, False),
    ],
)
def test_what_is_owed_is_owed_until_the_client_is_asked_to_stop(end: End, short: bool) -> None:
    assert watched(end, owed=True).short is short


def said_of(watch: Watch, survives: str = "") -> Finding:
    return watch.kept("nothing came", [1], short="watched for a part only", survives=survives)


def test_one_that_died_is_not_praised_and_is_told_of_with_its_last_words() -> None:
    found = said_of(watched(dies))
    assert found.verdict is Verdict.NOT_OBSERVED and len(found.evidence) == 2
    assert found.observed == (
        "watched for a part only: the client exited with status 3 at 11.000 s, asked by nobody; its last line:"
        " RuntimeError: no"
    )
    assert said_of(watched(lives)).verdict is Verdict.PASS
    assert "the client" not in said_of(watched(asked)).observed


def test_one_that_should_survive_and_died_is_in_breach() -> None:
    found = said_of(watched(dies), "the captcha")
    assert (found.verdict, found.form) == (Verdict.FAIL, Form.ENDING)
    assert found.observed.startswith("the client did not survive the captcha: it exited with status 3")
    assert said_of(watched(lives), "the captcha").verdict is Verdict.PASS
    assert said_of(watched(asked), "the captcha").verdict is Verdict.NOT_OBSERVED
    assert said_of(watched(refused), "the captcha").verdict is Verdict.PASS
    assert said_of(watched(dies, 12), "the captcha").verdict is Verdict.NOT_OBSERVED, "it had ended before"


def test_long_last_words_are_shortened() -> None:
    talk = alone(60)
    talk.told.append(r.SubjectOutput(t=10 * S, stream="out", text="x" * 500))
    talk.exit(11 * S)
    ending = bench_at(talk).ending
    assert ending is not None and ending.told.endswith(f"its last line: {'x' * 120}...")


def upgrade_refused(talk: Talk, status: int) -> None:
    talk.told += [r.Accepted(t=9 * S, conn=2), r.UpgradeAnswer(t=9 * S, conn=2, status=status)]


def token_refused(talk: Talk, status: int, body: str = "", path: str = "auth/accesstokenrequest") -> None:
    target = f"/v1/{path}"
    talk.told += [
        r.Accepted(t=9 * S, conn=2),
        r.Head(t=9 * S, conn=2, method="POST", target=target, headers=(), upgrade=False),
        r.RestRequest(t=9 * S, conn=2, ordinal=1, method="POST", target=target),
        r.RestAnswer(t=9 * S, conn=2, ordinal=1, status=status, body=body),
    ]


@pytest.mark.parametrize(
    ("refuse", "cause"),
    [
        (lambda talk: upgrade_refused(talk, 401), Cause.REFUSED),
        (lambda talk: upgrade_refused(talk, 429), Cause.ITSELF),
        (lambda talk: token_refused(talk, 401), Cause.REFUSED),
        (lambda talk: token_refused(talk, 200, '{"errorText":"no"}'), Cause.REFUSED),
        (lambda talk: token_refused(talk, 200, '{"accessToken":"x"}'), Cause.ITSELF),
        (lambda talk: token_refused(talk, 404, path="order/list"), Cause.ITSELF),
        (lambda talk: authorize(talk, 9, ident=5, s=401), Cause.REFUSED),
        (lambda talk: authorize(talk, 9, ident=5, s=200, d={"errorText": "no"}), Cause.REFUSED),
        (lambda talk: authorize(talk, 9, ident=5, s=200, d={"p-ticket": "x", "p-captcha": True}), Cause.REFUSED),
        (lambda talk: authorize(talk, 9, ident=5, s=200, d={"p-ticket": "x", "p-time": 5}), Cause.ITSELF),
        (lambda talk: authorize(talk, 9, ident=5), Cause.ITSELF),
    ],
)
def test_a_login_is_refused_by_an_upgrade_a_token_call_or_an_authorize(refuse: End, cause: Cause) -> None:
    talk = alone(60)
    refuse(talk)
    talk.exit(11 * S)
    ending = bench_at(talk).ending
    assert ending is not None and ending.cause is cause


def test_what_the_harness_ended_is_no_end_of_the_client() -> None:
    talk = alone(60)
    talk.told.append(r.StopAsked(t=10 * S, how="signal", judged=False))
    talk.exit(11 * S, asked=True)
    assert bench_at(talk).ending is None and bench_at(talk).death() is None


def test_a_death_is_looked_for_from_a_moment_on() -> None:
    talk = alone(60)
    talk.exit(11 * S)
    bench = bench_at(talk)
    assert bench.death() == bench.death(11 * S) == bench.ending and bench.death(11 * S + 1) is None
