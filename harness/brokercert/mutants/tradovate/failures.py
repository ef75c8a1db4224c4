"""What goes wrong in real clients (TP §11), row by row, and the mutants that have that defect.

A row without a mutant says why there is none. `says` names the parts of a row, where it tells of several defects.
`UNREPORTED` are the rows with a mutant of which nobody has told in public: they were read in the code of clients.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """A row of TP §11, or a part of one: the mutants that fail by it, or in `why_none` why no mutant has it."""

    row: int
    says: str
    mutants: tuple[str, ...] = ()
    why_none: str = ""


def _by(row: int, says: str, mutants: str) -> Failure:
    return Failure(row, says, tuple(mutants.split()))


FAILURES = (
    _by(1, "the letter is parsed along", "takes-the-letter-for-json"),
    _by(2, "a refusal under the id 0", "takes-the-id-0-for-none"),
    _by(3, "the answer stands not first", "first-message-only overlooks-answers-behind-events"),
    _by(4, "one message a frame", "first-message-only drops-events-beside-an-answer"),
    _by(5, "any 200 is a login", "takes-an-error-text-for-a-login"),
    _by(5, "any other status is the end of one", "takes-any-answer-for-the-logins"),
    _by(6, "`o` is not waited for", "authorizes-at-tcp-open"),
    _by(6, "the answer is not waited for", "pipelines-the-sync"),
    _by(7, "a timer that dies", "heart-dies-with-its-socket sleeps-in-a-quiet-market blocks-through-a-penalty"),
    _by(7, "a timer that is slowed down", "heartbeat-every-8-s heartbeat-every-40-s"),
    _by(7, "beats only on arrivals", "echoes-the-servers-beat"),
    _by(7, "a beat a message", "beats-on-every-message"),
    _by(8, "a second sync on a socket", "syncs-twice resyncs-twice"),
    _by(9, "events lost before the sync answer", "drops-events-before-its-snapshot"),
    _by(10, "a snapshot above the library's limit", "a-mebibyte-is-enough"),
    _by(11, "storms of reconnects", "reconnect-storm fixed-delay-of-2-s"),
    _by(11, "429 on the upgrade", "minds-no-429"),
    _by(11, "back-off reset by each success", "a-login-ends-every-trouble"),
    _by(11, "a watchdog in a quiet market", "takes-a-quiet-market-for-a-dead-one"),
    _by(12, "two readers after a reconnect", "a-listener-for-every-socket a-timer-for-every-socket"),
    _by(13, "an order sent again", "sends-an-order-again-after-a-cut"),
    _by(13, "a fill taken again", "counts-a-repeated-fill lists-a-repeated-fill"),
    _by(14, "a silent stall", "no-watchdog deaf-but-beating numb-but-alive"),
    _by(15, "the user's id for an account's", "takes-userid-for-accountid"),
    _by(15, "its 200 with an error for success", "takes-200-for-success"),
    _by(16, "`errorText` or `failureReason` in a 200", "takes-200-for-success takes-an-error-text-for-a-login"),
    _by(16, "`p-ticket` in a 200", "takes-a-ticket-for-success"),
    _by(17, "a ticket ignored", "takes-a-ticket-for-success retries-without-the-ticket"),
    _by(17, "a retry too soon", "retries-too-early"),
    _by(17, "requests in a lock-out", "asks-again-after-429 sends-other-requests-in-a-penalty"),
    Failure(
        18,
        "a new token for every call",
        why_none="no row forbids it: by LOG-055 a new token is as right as a renewed one, and a correct client of the "
        "test suite gets one with every connection. What it costs is a quota of the broker's (TP §2.4; the mock has "
        "it), and a session that the broker ends is the broker's doing in every check",
    ),
    _by(19, "an unknown kind of event", "hangs-up-on-unknown-kinds"),
    _by(20, "an order kept for the next connection", "keeps-an-order-until-it-is-back sends-what-it-told-as-not-sent"),
    _by(21, "authorize as a JSON object", "authorizes-with-an-object"),
    _by(22, "the token in the URL", "token-in-the-url"),
    _by(23, "the protocol's ping for the heartbeat", "takes-the-protocols-ping-for-the-heartbeat"),
    _by(24, "beats only after a pause", "beats-only-after-a-pause"),
    _by(25, "the sync repeated under the id 1", "repeats-its-sync-under-the-id-1"),
    Failure(
        26,
        "an event taken for the answer to a subscription",
        why_none="what a client believes of a subscription it tells nobody, and on the wire both look alike",
    ),
    _by(27, "a sync that drew a ticket is never repeated", "takes-a-ticket-for-success"),
    Failure(
        28,
        "a refused subscription counted as subscribed",
        why_none="it may be asked for again after a loss or not: to REC-035 it never stood, and neither is a breach",
    ),
)
UNREPORTED = frozenset({21, 22, 23, 25, 27})
