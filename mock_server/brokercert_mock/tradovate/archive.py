"""What a broker can be asked for by its id, and tells nobody of: no snapshot, list or event has it.

Orders of earlier days: a scenario asks for these, so that a client's own requests are not taken for those that it was
asked for. And contracts that the user never traded: of any symbol that looks like one, made when it is first named.
"""

from __future__ import annotations

import re
from typing import Any

from brokercert_mock.tradovate.state import Entity, State

# A root of letters or digits, a month, a year of one or two digits: ESH6, 6EZ26. Or a continuous one: @ES.
SYMBOL = re.compile(r"@?[A-Z0-9]{1,5}[FGHJKMNQUVXZ]\d{1,2}|@[A-Z0-9]{1,5}", re.IGNORECASE)


def archive_orders(state: State, count: int, stamp: str) -> None:
    """So many finished orders of earlier days. Their ids are lower than all others."""
    contract, first = state.of("contract")[0]["id"], state.user_id
    for number in range(count):
        order = {
            "id": first - count + number,
            "accountId": state.accounts[number % len(state.accounts)],
            "contractId": contract,
            "timestamp": stamp,
            "action": "Sell" if number % 2 else "Buy",
            "ordStatus": "Expired",
            "admin": False,
        }
        state.archive["order"][order["id"]] = order


def contract_named(state: State, symbol: Any) -> Entity | None:
    """The contract of this name, in any letter case, or of this id; None where it is neither known nor a symbol."""
    known = [*state.of("contract"), *state.archive["contract"].values()]
    text = str(symbol)
    found = next((x for x in known if text == str(x["id"]) or text.lower() == str(x["name"]).lower()), None)
    if found is None and isinstance(symbol, str) and SYMBOL.fullmatch(symbol):
        found = known[0] | {"id": state.new_id(), "name": symbol.upper()}
        state.archive["contract"][found["id"]] = found
    return found
