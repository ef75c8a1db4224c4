"""Under any order flow, and any setting of what is inferred, the ledger is balanced, orders live legal lives, and a
second, naive exchange agrees.
"""

from typing import Any, get_args, get_type_hints

from brokercert_mock import Settings
from brokercert_mock.tradovate.exchange.ledger import ledger_state
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import SYMBOLS, Twins

ticks = st.integers(-8, 8)
quantities = st.integers(1, 4)
which = st.integers(0, 11)
accounts = st.sampled_from([0, 0, 0, 1])  # mostly one, so that acts meet
symbols = st.sampled_from([*SYMBOLS[:1] * 3, *SYMBOLS])
sides = st.sampled_from(["Buy", "Sell"])
legs = st.tuples(accounts, symbols, sides, quantities, ticks)
kinds = st.sampled_from(["Limit", "Market", "Stop"])
times = st.sampled_from(["Day", "GTC", "GTD", "IOC", "FOK"])
policies = st.sampled_from(["never", "at once", "partial then full"])
limits = st.tuples(st.none() | quantities, st.none() | st.integers(1, 6))
OFTEN = (  # what all else happens to
    st.tuples(st.just("place"), legs, kinds, times),
    st.tuples(st.just("oso"), legs, ticks, ticks),
    st.tuples(st.just("fill rest"), which),
    st.tuples(st.just("modify"), which, quantities, ticks, st.none() | st.sampled_from(["Day", "IOC", "FOK"])),
)  # fmt: skip
ACTS = st.one_of(
    *OFTEN * 3,
    st.tuples(st.just("oco"), legs, ticks),
    st.tuples(st.just("fill"), which, quantities, st.none() | ticks),
    st.tuples(st.just("cancel"), which),
    st.tuples(st.just("reject"), which),
    st.tuples(st.just("expire"), which),
    st.tuples(st.just("delete"), which),
    st.tuples(st.just("liquidate"), accounts, symbols),
    st.tuples(st.just("limit"), limits),
    st.tuples(st.just("trading"), accounts, st.sampled_from(["open", "locked", "only out"])),
    st.tuples(st.just("auto fill"), policies),
    st.tuples(st.just("pass time"), quantities),
    st.tuples(st.just("turn down"), st.sampled_from(["New", "Modify", "Cancel"])),
    st.just(("end day",)),
    st.just(("pause",)),
    st.just(("resume",)),
)  # fmt: skip


def values_of(setting: str) -> tuple[Any, ...]:
    kind = get_type_hints(Settings)[setting]
    return (True, False) if kind is bool else get_args(kind)


# Every setting of the exchange, with all of its values (docs/rules.md, "What no document says").
INFERRED = (
    "oco_cancel oso_wakes unfilled_ends account_checks command_checks limit_checks modify_keeps at_execution"
    " fill_reports flat_price pnl_fees balance_updates"
).split()
RULES = st.builds(Settings, **{name: st.sampled_from(values_of(name)) for name in INFERRED})


@settings(max_examples=700, deadline=None)
@given(acts=st.lists(ACTS, min_size=10, max_size=50), rules=RULES, policy=policies, limit=limits)
def test_any_flow_keeps_the_ledger_balanced_and_both_exchanges_agree(
    acts: list[Any], rules: Settings, policy: str, limit: tuple[int | None, int | None]
) -> None:
    twins = Twins(rules)
    twins.auto_fill(policy)
    twins.limit(limit)
    for act in acts:
        twins.act(*act)
        twins.check_agreement(ledger_state(twins.state))
    twins.check()


@settings(max_examples=400, deadline=None)
@given(
    acts=st.lists(ACTS.filter(lambda act: act[0] != "limit"), min_size=10, max_size=50),
    rules=RULES,
    policy=policies,
    most=st.integers(1, 5),
)
def test_no_flow_leads_to_a_position_above_the_limit(acts: list[Any], rules: Settings, policy: str, most: int) -> None:
    twins = Twins(rules)
    twins.auto_fill(policy)
    twins.limit((None, most))
    for act in acts:
        twins.act(*act)
        assert all(abs(x["netPos"]) <= most for x in twins.state.of("position"))
        twins.check_agreement(ledger_state(twins.state))


@settings(max_examples=150, deadline=None)
@given(trades=st.lists(st.tuples(sides, quantities, ticks), min_size=3, max_size=12))
def test_positions_are_opened_closed_and_turned_round_first_in_first_out(trades: list[Any]) -> None:
    twins = Twins()
    for side, qty, tick in trades:
        twins.trade((0, "ESH6", side, qty, tick))
        twins.check_agreement(ledger_state(twins.state))
    twins.check()
    pairs = sum(x["qty"] for x in twins.state.of("fillPair"))
    closed = sum(qty for _, qty, _ in trades) - abs(twins.exchange.books.net(twins.state.accounts[0], contract(twins)))
    assert 2 * pairs == closed


def contract(twins: Twins) -> int:
    return next(int(x["id"]) for x in twins.state.of("contract") if x["name"] == "ESH6")
