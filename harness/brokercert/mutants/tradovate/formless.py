"""Which mutants do not exist in a form, which rows a form cannot fail, and why. What stands in no table is made."""

from __future__ import annotations

from collections.abc import Mapping

# What a mutant may change of the reference client that belongs to no socket.
CHANGES: Mapping[str, str] = {
    "state": "what is told on request is the client's belief, of all its sockets together",
    "tokens_class": "a token is the user's, and all sockets share it",
    "run": "the defect lies beside the sockets, in a task of its own",
}

MUTANTS: Mapping[str, str] = {
    "hides-a-captcha": "whoever tells the outcome of a request is the program, and no socket",
    "hammers-refused-token": "a token is the user's, and what follows a refusal too",
    "sends-a-refused-token-every-19-s": "a token is the user's, and what follows a refusal too",
    "never-syncs": "a shard that never syncs is a socket for something else; after a loss it is REC-030 that asks",
    "waits-by-the-wall-clock": "the clock is the machine's, and it is stepped in one penalty of the first socket",
    "authorizes-with-an-object@after-one-loss": "after a loss it is the defect of `does-not-reauthenticate`",
    "authorizes-with-an-object@after-two-losses": "after a loss it is the defect of `does-not-reauthenticate`",
    "shards-overlap@second-shard": "it is the third shard's remainder that is another's",
}

# What the scenarios do not ask yet of one shard among several: to become empty.
_OWED_YET = (
    "CON-040 CON-045 EVT-040 EVT-050 EVT-060 EVT-070 EVT-080 EVT-120 EVT-130 EVT-140 "
    "LOG-010 LOG-030 LOG-035 LOG-060 MSG-010 MSG-040 "
    "REC-040 REC-050 REC-080 REC-090 REC-110 REC-115"
)

_GRID = {
    "REC-110": "a cell of the grid is one fault of the first socket, or of the way back from its loss",
    "REC-115": "a cell of the grid is one fault of the first socket, or of the way back from its loss",
}
_GONE = "it is not back from the losses that come before"
_ONCE = "each of the many ends comes once; one more, a minute after the losses before it, would be a minute of waiting"
_ENDS = {"REC-010": _ONCE, "REC-015": _ONCE}
_DEAF = "a socket that reads nothing is never logged in, so that no login is refused or kept"
_STOPPED = "a client is asked to stop once in a start: within a login, that is its first"
_TLS = "a bad certificate is shown to a start, and on the way back from a first loss: a client may have no other"
_LONG = "the longest life of a later socket is 73 s"
_WAITED = "a request waits at the first two losses of its scenario"
_ACCOUNT = "an order goes by the socket of its account, and all orders of that scenario are of one"
_WHOSE = "where there are several sockets, the next authorize may be another one's"
_AFTER = ("after-one-loss", "after-two-losses")


def _in_both(name: str, rows: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    return {f"{name}@{form}": rows for form in _AFTER}


# Form, or NAME@FORM -> row -> why nobody can ask it of the sockets that have the defect.
ROWS: Mapping[str, Mapping[str, str]] = {
    "second-shard": {
        **dict.fromkeys(_OWED_YET.split(), "its scenarios meet the first socket only, so far"),
        "LOG-045": "another shard of the same user tells of the refusal",
        "RLP-070": "the lock-out is the user's, and all sockets share it",
        "RLP-080": "a request leaves by a socket that the client chooses, and its ticket comes there",
    },
    "sends-requests-while-it-logs-in@second-shard": {
        "REC-020": "the request is asked for while the first socket logs in"
    },
    "logs-in-again-before-its-ticket-allows@second-shard": {"LOG-100": _WHOSE},
    "logs-in-again-after-a-captcha@second-shard": {"LOG-100": _WHOSE},
    "authorizes-again-after-a-captcha@second-shard": {"LOG-100": _WHOSE},
    "sends-an-unanswered-order-again@second-shard": {"REQ-030": _ACCOUNT},
    "needs-the-text-of-a-failure@second-shard": {"REQ-040": _ACCOUNT},
    "takes-any-reason-for-a-failure@second-shard": {"REQ-040": _ACCOUNT},
    "keeps-the-pause-after-a-refusal@second-shard": {"REC-010": "a token is the user's, and another shard is refused"},
    "after-one-loss": _GRID,
    "after-two-losses": _GRID,
    **_in_both("never-reconnects", dict.fromkeys(("LOG-080", "HBT-060", "REC-015"), _GONE)),
    "does-not-reauthenticate@after-two-losses": {"HBT-060": _GONE},
    "trusts-every-certificate@after-two-losses": {"CON-030": _TLS},
    "dies-of-a-cut-handshake@after-two-losses": {"CON-030": _TLS},
    "never-begins-its-ladder-anew@after-two-losses": {"REC-010": "it climbs at the loss of a first socket"},
    "sends-what-waited-though-told-as-failed@after-two-losses": {"RLP-090": _WAITED},
    "tells-two-ends-of-what-waited@after-two-losses": {"REQ-040": _WAITED},
    "does-not-resync@after-two-losses": {"HBT-060": _GONE},
    "asks-for-less-after-a-loss@after-one-loss": {"REC-040": "what it does not ask for is not compared there"},
    **_in_both("takes-the-letter-for-json", {"LOG-045": _DEAF, "LOG-060": _DEAF}),
    **_in_both("syncs-again-after-85-s", {"EVT-010": _LONG}),
    **_in_both(
        "tells-a-late-answer-too", {"REQ-040": "a time-out of half a minute is awaited on the first socket only"}
    ),
    **_in_both(
        "syncs-again-where-it-was-not-answered",
        {"EVT-010": "a time-out of half a minute is awaited on the first socket only"},
    ),
    **_in_both("gives-up-after-a-second", {"REQ-040": "an answer that is late is played on the first socket only"}),
    **_in_both("ids-of-one-byte", {"REQ-010": "so many requests are asked for in one scenario, of its first socket"}),
    **_in_both("minds-1000", _ENDS),
    **_in_both("stays-away-after-going-away", _ENDS),
    **_in_both("stays-away-after-1008", _ENDS),
    **_in_both("stays-away-after-a-code-that-it-does-not-know", _ENDS),
    "beats-slower-after-each-loss@after-two-losses": {"HBT-020": "the first loss that slows it is its third socket's"},
    **_in_both("stays-away-after-1013", _ENDS),
    **_in_both("stays-away-after-a-close-without-a-code", _ENDS),
    **_in_both("stays-away-after-a-private-code", _ENDS),
    **_in_both("knows-one-code-of-the-protocols-close", _ENDS),
    **_in_both("waits-for-a-bare-c", _ENDS),
    **_in_both("stays-away-after-a-shutdown", _ENDS),
    **_in_both("stays-away-after-a-quota", _ENDS),
    **_in_both("says-goodbye-when-live-only", {"OFF-010": _STOPPED}),
    **_in_both("ends-its-login-first", {"OFF-010": _STOPPED}),
    **_in_both(
        "waits-for-the-servers-goodbye", {"OFF-010": "the server that answers nothing is met by a first socket"}
    ),
}

# Form, or name -> row -> why it may fall with the defect in a form.
KNOCKS: Mapping[str, Mapping[str, str]] = {
    "second-shard": {
        **dict.fromkeys("EVT-050 EVT-060 REC-040 REC-115 RLP-040".split(), "its check knows no shards, so far"),
        "REC-030": "where the other shards come back, one that does not is missed",
    },
    "heart-dies-with-its-socket": dict.fromkeys(
        "HBT-010 HBT-020 HBT-030 HBT-040 RLP-080".split(),
        "a later socket never beats, where it lives long enough to show it",
    ),
    "late-beside-a-probe": {
        "REQ-040": "on a second shard a request is told as failed while its lane is away: not traced"
    },
    "dies-of-a-second-deletion": {"EVT-080": "the deletion comes before the answer, on a later socket too"},
    "never-reconnects": {
        "MSG-040": "it came back from the violations before, and not from the last one",
        "MSG-050": "it came back from the closes before, and not from the one after the frames",
        "REC-035": "where the other shards come back, what it had subscribed to is missed",
    },
    "a-timer-for-every-socket": {"HBT-070": "with the third timer and the fourth the beats are too many"},
    "takes-the-letter-for-json": {"REC-030": "a later socket that reads nothing never syncs"},
}
