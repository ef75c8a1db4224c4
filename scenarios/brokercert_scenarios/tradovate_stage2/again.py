"""Which scenarios are met again within the same play: by the sockets after a loss, and after two.

Many a client has set up once, for its first socket, what each socket needs. So nearly everything that can be asked of
the first socket is asked of later ones. A loss takes a client three seconds or so. Where that is the smaller part, a
scenario is met after two losses only, if another one asks its rows of the first socket or if nothing of it is about a
start.
"""

from brokercert.engine.play.scenario import Met

TWICE = (0, 1, 1)  # at once, after one loss, and after two
AND_LATER = (0, 2)  # at once, and after two losses
LATER = (2,)  # after two losses only
ONE = (1,)  # after one loss only

MEETINGS = {
    "answers-beside-events": Met(LATER, 12),
    "frames-in-parts": Met(LATER, 17),
    "pings": Met(LATER, 13),
    "clock-steps": Met(LATER, 95),
    "loss-close-1012": Met(ONE, 91, rested=True),
    "processed-after-losses": Met((0, 0), 20),
    "shards-7": Met(LATER, 32),
    "login-timed": Met((0, 1), 13),
    "stop-open": Met(LATER, 11),
    "upgrade-unanswered": Met(AND_LATER, 30),
    "connect-unanswered": Met(LATER, 38),
    "port-refused": Met(LATER, 22),
    "unavailable-accept": Met(LATER, 103),
    "upgrade-429": Met(LATER, 101),
    "slow-latency": Met(LATER, 34),
    "order-flow": Met(TWICE, 16),
    "whole-range": Met(LATER, 14),
    "orders-of-its-own": Met(LATER, 12),
    "own-orders-in-one-frame": Met(LATER, 15),
    "events-repeated": Met(TWICE, 22),
    "events-in-one-frame": Met(TWICE, 22),
    "events-before-answer": Met(TWICE, 16),
    "arrays-and-deletions": Met(LATER, 16),
    "late-updates": Met(TWICE, 17),
    "shutdown-at-once": Met(LATER, 101),
    "authorize-429": Met(LATER, 82),
    "authorize-captcha": Met(LATER, 54),
    "request-captcha": Met(LATER, 58),
    "retry-429": Met(LATER, 91),
    "sync-ticket-cut-off": Met(AND_LATER, 27),
    "sync-ticket-of-no-time": Met(AND_LATER, 15),
    "snapshot-split": Met(LATER, 12),
    "unknown-events": Met(LATER, 31),
    "types-after-loss": Met(LATER, 13),
    "load": Met(LATER, 32),
    "quiet": Met(LATER, 105),
    "beats-beside-requests": Met(LATER, 84),
    "silent-dead": Met(LATER, 45),
    "idle-close": Met(LATER, 34),
    "heartbeat-streams": Met(ONE, 86),
    "authorize-unanswered": Met(AND_LATER, 28),
    "open-never": Met(AND_LATER, 28),
    "token-expires": Met(LATER, 69),
    "away-proxied": Met(LATER, 20),
    "empty-lists-left-out": Met(LATER, 22),
    "loss-protocol-close-open": Met(LATER, 94, rested=True),
    "outage-closed": Met(LATER, 101),
    "order-in-flight-placed": Met(LATER, 36),
    "order-in-flight-lost": Met(LATER, 36),
    "order-while-away": Met(LATER, 43),
    "request-while-logging-in": Met(LATER, 16),
    "answers-out-of-order": Met(TWICE, 13),
    "request-unanswered": Met(LATER, 40),
    "order-unanswered": Met(LATER, 40),
    "retry-unanswered": Met(LATER, 44),
    "answers-errors": Met(TWICE, 10),
    "orders-refused": Met(TWICE, 11),
}
