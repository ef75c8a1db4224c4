"""Market data over the same socket: quotes, depth, histograms and charts (TP §4). A market that hardly moves.

A subscription belongs to its socket and ends with it. A symbol that looks like one has a contract, whether the user
trades it or not: whatever a correct client asks for can be answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.archive import contract_named
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.requests.parameters import listed, parameters
from brokercert_mock.tradovate.requests.turns import Answer
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import TRADE_DATE, Entity, State
from brokercert_mock.tradovate.wire import ClientRequest

KINDS = ("quote", "dom", "histogram")  # md/subscribeQuote, md/unsubscribeQuote, and so on
GET_CHART, CANCEL_CHART = "md/getchart", "md/cancelchart"

BASE = 5000.0  # of every price: a round index, whatever the contract
TICK = 0.25
SWING = 8  # ticks up, then down
LEVELS = 5  # of a depth, on each side
BARS = 3  # of a chart's history
REFUSED = {"errorText": "Symbol is inaccessible", "errorCode": "UnknownSymbol", "mode": "None"}  # observed; TP §4
TRADE_DAY = TRADE_DATE["year"] * 10_000 + TRADE_DATE["month"] * 100 + TRADE_DATE["day"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart's subscription: bars of the past come under `past`, further ones under `realtime`."""

    historical: int
    realtime: int
    past: int


class MarketData:
    """Who asked for what. One subscription of each kind a contract and socket, and any number of charts."""

    def __init__(self, ground: Ground, settings: Settings, state: State, stamp: Callable[[], str]) -> None:
        self._ground, self._settings, self._state, self._stamp = ground, settings, state, stamp
        self._denied = {symbol.lower() for symbol in settings.denied_symbols}
        self._asked: dict[Connection, dict[tuple[str, int], Entity]] = {}
        self._charts: dict[Connection, dict[int, Chart]] = {}
        self._turn = 0

    def endpoints(self) -> Mapping[str, Callable[[Connection, ClientRequest], Answer]]:
        """Who answers which of them."""
        found: dict[str, Callable[[Connection, ClientRequest], Answer]] = {
            GET_CHART: self._chart,
            CANCEL_CHART: self._cancel_chart,
        }
        for kind in KINDS:
            found[f"md/subscribe{kind}"] = found[f"md/unsubscribe{kind}"] = self._subscription
        return found

    def tick(self) -> None:
        """The market moves: everybody is told of what they asked for."""
        self._turn += 1
        self._asked = {conn: held for conn, held in self._asked.items() if conn.ended_at is None}
        self._charts = {conn: held for conn, held in self._charts.items() if conn.ended_at is None}
        for conn, held in self._asked.items():
            if self._settings.md_conflate == "each":
                for (kind, _), contract in held.items():
                    self._send(conn, kind, contract)
            elif self._turn % 2 == 0:
                for kind in KINDS:
                    self._send(conn, kind, *(contract for (one, _), contract in held.items() if one == kind))
        for conn, charts in self._charts.items():
            for chart in charts.values():
                self._send_bars(conn, chart.realtime, 1)

    def _subscription(self, conn: Connection, request: ClientRequest) -> Answer:
        """Begin one, or end it."""
        contract, refusal = self._wanted(conn, request)
        if contract is None:
            return refusal
        begins = request.endpoint.startswith("md/subscribe")
        kind = request.endpoint.removeprefix("md/").removeprefix("un").removeprefix("subscribe")
        held = self._asked.setdefault(conn, {})
        if begins:
            held[kind, contract["id"]] = contract
            self._ground.call_later(0, lambda: self._send(conn, kind, contract))
        else:
            held.pop((kind, contract["id"]), None)
        return 200, {}

    def _chart(self, conn: Connection, request: ClientRequest) -> Answer:
        contract, refusal = self._wanted(conn, request)
        if contract is None:
            return refusal
        chart = self._new_chart()
        self._charts.setdefault(conn, {})[chart.realtime] = chart
        self._ground.call_later(0, lambda: self._send_history(conn, chart))
        return 200, {"historicalId": chart.historical, "realtimeId": chart.realtime}

    def _cancel_chart(self, conn: Connection, request: ClientRequest) -> Answer:
        wanted = [str(x) for x in listed(parameters(request.query, request.body).get("subscriptionid"))]
        held = self._charts.get(conn, {})
        found = [ident for ident, chart in held.items() if {str(ident), str(chart.historical)} & set(wanted)]
        for ident in found:
            del held[ident]
        return (200, {}) if found else (404, f"Not found: {request.endpoint}")

    def _new_chart(self) -> Chart:
        realtime = self._state.new_id()
        historical = realtime if self._settings.chart_ids == "one" else self._state.new_id()
        past = historical if self._settings.chart_ids == "history under historicalId" else realtime
        return Chart(historical, realtime, past)

    def _wanted(self, conn: Connection, request: ClientRequest) -> tuple[Entity | None, Answer]:
        """The contract, by its symbol in any letter case or by its id; None where there is none for this client, and
        what it is told then.
        """
        if self._settings.md_token_only and not conn.for_markets:
            return None, (401, self._settings.denied_text or None)
        symbols = listed(parameters(request.query, request.body).get("symbol"))
        contract = contract_named(self._state, symbols[0]) if symbols else None
        if contract is None:
            plain = self._settings.md_unknown == "404"
            return None, (404, f"Not found: {request.endpoint}") if plain else (200, dict(REFUSED))
        if contract["name"].lower() in self._denied:
            plain = self._settings.md_denied == "401"
            return None, (401, self._settings.denied_text or None) if plain else (200, dict(REFUSED))
        return contract, (200, {})

    @property
    def _last(self) -> float:
        steps = self._turn % (2 * SWING)
        return BASE + TICK * min(steps, 2 * SWING - steps)

    def _send(self, conn: Connection, kind: str, *contracts: Entity) -> None:
        shown = {"quote": self._quote, "dom": self._depth, "histogram": self._histogram}[kind]
        said = [{"contractId": contract["id"], "timestamp": self._stamp(), **shown()} for contract in contracts]
        if said:
            conn.send_event("md", {f"{kind}s": said})

    def _quote(self) -> dict[str, Any]:
        last = self._last
        entries: dict[str, dict[str, float]] = {
            "Bid": {"price": last - TICK, "size": 12},
            "Offer": {"price": last + TICK, "size": 9},
            "Trade": {"price": last, "size": 1},
            "TotalTradeVolume": {"size": 1000 + self._turn},
        }
        if self._settings.quote_entries == "sparse":
            entries = {"Bid": {"price": last - TICK}, "TotalTradeVolume": {}, "EmptyBook": {}}
        return {"entries": entries}

    def _depth(self) -> dict[str, Any]:
        steps = [TICK * level for level in range(1, LEVELS + 1)]
        return {
            "bids": [{"price": self._last - step, "size": 5} for step in steps],
            "offers": [{"price": self._last + step, "size": 5} for step in steps],
        }

    def _histogram(self) -> dict[str, Any]:
        return {"tradeDate": TRADE_DATE, "base": BASE, "items": {"-1": 4, "0": 9, "1": 3}, "refresh": False}

    def _send_history(self, conn: Connection, chart: Chart) -> None:
        self._send_bars(conn, chart.past, BARS)
        conn.send_event("chart", {"charts": [{"id": chart.past, "eoh": True}]})

    def _send_bars(self, conn: Connection, ident: int, count: int) -> None:
        bar = {
            "timestamp": self._stamp(),
            "open": self._last,
            "high": self._last + TICK,
            "low": self._last - TICK,
            "close": self._last,
            "upVolume": 3,
            "downVolume": 2,
            "upTicks": 2,
            "downTicks": 1,
            "bidVolume": 2,
            "offerVolume": 3,
        }
        conn.send_event("chart", {"charts": [{"id": ident, "td": TRADE_DAY, "bars": [bar] * count}]})
