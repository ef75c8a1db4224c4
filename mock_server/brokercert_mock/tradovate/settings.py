"""What a client can tell apart of the mock's behaviour and no document states is a setting here, never passed off as
the broker's own. What is inferred and fixed all the same, and why: docs/rules.md, "What no document says".

Marks: [documented], [observed], [inferred] or [unknown], as in the protocol notes (docs/protocol/tradovate.md). The
defaults are a healthy broker: whatever penalises a client is off unless a scenario is about it.
`PROFILES` are sets of settings that somebody claims of the real broker, by their names, for a developer's own runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from brokercert_mock.port.settings import AnySettings

PROFILES: Mapping[str, Mapping[str, Any]] = MappingProxyType({"strict-claimed": {"idle_limit": 10.0}})
"""`strict-claimed`: the strictest idle limit that anybody reads in the vendor's pages [claimed; TP §1.3]."""


@dataclass(frozen=True, slots=True)
class Settings(AnySettings):
    """How a `TradovateBroker` behaves. Times in seconds."""

    heartbeat_every: float = 2.5
    """`h` after so long without anything sent [documented: about every 2.5 s, not while data streams; TP §1.1]."""
    event_every: float = 4.0
    """A plain event to every synced socket, so that a market is open [ours]."""
    auth_deadline: float | None = None
    """Close a socket that did not authorize in time [the deadline: unknown; TP §2.1]. None: never."""
    idle_limit: float | None = None
    """Close a socket whose client sent nothing for so long [unknown; 10 s: claimed; TP §1.3]. None: never."""
    unauthenticated: Literal["answer", "401"] = "answer"
    """A request before authorize is answered normally, or refused [inferred: 401; TP §2.1]. Answered here, so that only
    the scenario that judges the order of login judges it."""
    bad_token_text: str = "Invalid access token"
    """[documented, in the Stage 2 page only; the real wire's text is unknown; TP §2.1]"""
    bad_token_closes: bool = False
    """Whether the socket is closed after a refused token [unknown; TP §13]."""
    denied_text: str = "Access is denied"
    """[observed on a refused operation; TP §2.1]. Empty: nothing behind the status [claimed; not found again]."""
    denied_endpoints: tuple[str, ...] = ()
    """Endpoints, in lower case, that the key's permissions do not cover: over socket and REST they get 401 and
    `denied_text`, while the login succeeds [observed; TP §2.1]."""
    endpoint_case: Literal["any", "lower only"] = "any"
    """Whether an endpoint that is asked for in capitals is known [inferred; one probe had 404: unknown; TP §9]."""
    items_limit: int | None = None
    """More ids than this in one `items` get a 404 with nothing behind it [claimed: about ten; TP §9]. None: any."""
    not_found_quoted: bool = False
    """A 404's text once more in quotes inside the string [observed so; TP §3]."""
    second_sync: Literal["answer", "refuse", "close"] = "answer"
    """What a second sync request on a socket does [unknown; TP §5.4]."""
    empty_entity_types: Literal["none", "all"] = "none"
    """What a sync without `entityTypes`, `users` and `accounts` subscribes to [documented: nothing; TP §5.1]."""
    entity_type_names: Literal["lenient", "exact"] = "lenient"
    """Whether plurals and other letter cases in `entityTypes` subscribe as well, or to nothing [unknown; TP §5.1]."""
    max_connections: int | None = None
    """Sockets that a user may have; over it, the oldest is shut down and its token revoked [documented: 50; TP §10].
    None: no limit, as for the two below, so that only the scenario about a quota meets it."""
    max_addresses: int | None = None
    """Addresses that a user's sockets may come from [documented: 5; TP §10]."""
    max_sessions: int | None = None
    """Sessions that a user may have at a time: a login starts one, a renewal does not [documented: 2; TP §2.4]."""
    evicted_session: Literal[408, 429, 500] = 408
    """What REST requests of a session that a later one ended get [documented: one of these; TP §2.4]."""
    eviction_close: Literal["shutdown", "bare"] = "shutdown"
    """Whether a connection over a quota is told so before its close [documented], or not [claimed; TP §2.4]."""
    token_life: float = 80 * 60.0
    """[documented: 80 min on the newest copies of both pages; 90 min is older; TP §2.3]"""
    md_access_token: Literal["present", "absent"] = "present"
    """Whether a login's answer has `mdAccessToken` [sample, retail], or not [documented, for partners; TP §2.2]."""
    md_token_only: bool = False
    """Whether a socket that authorized with the access token gets 401 at its first request for market data [claimed;
    TP §4]. Else both tokens do."""
    md_unknown: Literal["200", "404"] = "200"
    """A subscription to a symbol that is unknown: 200 with `errorText` [observed; TP §4], or 404."""
    denied_symbols: tuple[str, ...] = ()
    """Symbols, in any letter case, to which the user has no entitlement [ours]."""
    md_denied: Literal["200", "401"] = "200"
    """A subscription to one of those: 200 with `errorText` [observed], or 401 [claimed; TP §4]."""
    chart_ids: Literal["one", "history under realtimeId", "history under historicalId"] = "one"
    """The ids of a chart: one number, or two, and under which of them its history comes [inferred; TP §4]."""
    tls: bool = False
    """TLS by a CA of its own, for `localhost` [ours]."""
    name: str = ""
    """A host name for clients, and a name server of its own that knows it [ours]. Empty: the address itself."""
    snapshot_bytes: int = 0
    """What a sync answer is filled up to with the history of finished orders [ours]. 0: the state as it is."""
    split_parts: int = 1
    """How many answers, all under the request's id, carry a snapshot [inferred; TP §5.3]."""
    split_form: Literal["answers", "wrappers"] = "answers"
    """What such a part is: an object of lists [inferred], or an array of what events carry [claimed; TP §5.3]."""
    quote_entries: Literal["whole", "sparse"] = "whole"
    """Whether quotes lack entries and sizes, and have an `EmptyBook` [sample: each may be absent; TP §4]."""
    md_conflate: Literal["each", "latest"] = "each"
    """Whether each move of the market is told, a message a subscription; or every second one, a message for all
    symbols [documented: across symbols, outdated ones left out; TP §4]."""
    ready_token_life: float | None = None
    """Life of the token that a client is given ready: `token_life` where None; below 0, it has expired [ours]."""
    login_errors: Literal["200", "401"] = "200"
    """Bad credentials: 200 with `errorText` [observed], or 401 as plain text [Stage 1 page; TP §2.2]."""
    expired_renewal: Literal[400, 401] = 401
    """Renewing with an expired token [documented: 400 or 401; TP §2.3]."""
    expired_text: str = "Expired Access Token"
    """What is said then [claimed; TP §2.3]."""
    early_retry: Literal["ticket", "answer"] = "ticket"
    """A request to an endpoint under penalty, too early: a new ticket [inferred; TP §7.2], or answered."""
    endpoint_limits: Literal["off", "claimed"] = "off"
    """Whether requests are counted by endpoint, by the table of `requests/limits.py` [in part documented, in part
    claimed; TP §7.1]."""
    login_captcha: bool = True
    """Whether the ticket of a token request has `p-captcha` true [documented; TP §2.2], or false [claimed]."""
    order_events: Literal["after answer", "before answer"] = "after answer"
    """Whether the events of a request follow its answer [observed on the socket] or precede it [a production user's
    warning, for REST; TP §8]."""
    auto_fill: Literal["never", "at once", "partial then full"] = "never"
    """What happens to an order that reaches the market [ours]: only what a scenario says, or a fill, or two (a FOK is
    filled whole or not at all)."""
    oco_cancel: Literal["fill", "any end"] = "fill"
    """When the sibling of an OCO is cancelled: at the first fill, or also when its other ends otherwise [inferred]."""
    oso_wakes: Literal["full fill", "first fill"] = "full fill"
    """When the brackets of an OSO go to the market: once their parent is filled whole, or in part [inferred]."""
    unfilled_ends: Literal["Expired", "Canceled"] = "Expired"
    """What becomes of an IOC or FOK that is not filled whole as it reaches the market [inferred]."""
    account_checks: Literal["entry", "risk"] = "entry"
    """Where an account that may not trade is found out: a `failureReason` in the answer, or `RiskRejected` by events
    [inferred]. So too the next two."""
    command_checks: Literal["entry", "risk"] = "entry"
    """Where a command for an order that is over, or that has another command under way, is turned down [inferred]."""
    limit_checks: Literal["entry", "risk"] = "risk"
    """Where `max_order_qty` and `max_position` are asked of a client's order or change [inferred]. By risk in any case:
    of what a scenario places, of a liquidation, of a bracket that wakes."""
    modify_keeps: bool = True
    """Whether a modification keeps what it does not name: prices that its order type needs, time in force, ...
    [inferred]. If not, it is asked for them as a new order is."""
    at_execution: Literal["report and command", "report", "command"] = "report and command"
    """What tells that a command came through: a `commandReport`, the command itself, or both [inferred; staff: follow
    the reports, not the command's status; TP §8]."""
    fill_reports: Literal["current command", "New command"] = "current command"
    """Which command a fill's execution report hangs on: that of the order's current version, or its New [inferred]."""
    flat_price: Literal["zero", "none"] = "zero"
    """The `netPrice` of a flat position: 0, or not there [inferred; the field is optional; TP §8]."""
    pnl_fees: Literal["outside", "inside"] = "outside"
    """Whether fees, which leave `amount`, are part of `realizedPnL` too [inferred]."""
    balance_updates: Literal["fill", "order"] = "fill"
    """When a `cashBalance` is updated: with each fill, or once for all of an order's, when it is over [inferred]."""
    max_order_qty: int | None = None
    """Larger orders are turned down by the risk check [ours]. None: no limit."""
    max_position: int | None = None
    """Orders that could lead to a larger position in a contract, with what works there already, are turned down by the
    risk check [ours]."""
    shutdown_lead: float = 0.5
    """From the event `shutdown` to the close that follows it [ours: what is written must have arrived, since some
    libraries drop what they had read when the end follows at once]."""
    snapshot_orders: int = 6
    """Orders in the seeded state [ours: a snapshot of a few KiB]."""
    archived_orders: int = 12
    """Orders of earlier days, which no snapshot has and a client can ask for by their ids [ours: enough for every
    scenario that asks for some]."""
