"""The ladder stays inside the limits of REC-050 whatever the dice say, and starts again only after a stable minute."""

import random

from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.config import Config
from hypothesis import given
from hypothesis import strategies as st

OUTAGE = 90.0  # seconds, as the outage scenarios have it
NUMBERS = Config(url="u", rest_url="r", token="t")


class Dice(random.Random):
    """Says what it is told, over and over: the worst luck is among what hypothesis tries."""

    def __init__(self, values: list[float]) -> None:
        super().__init__(0)
        self._values = values
        self._at = 0

    def random(self) -> float:
        self._at += 1
        return self._values[self._at % len(self._values)]


luck = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=30).map(Dice)


def ladder(dice: random.Random) -> Backoff:
    return Backoff(dice, first=NUMBERS.first_delay, longest=NUMBERS.longest_delay, stable_after=NUMBERS.stable_after)


@given(luck, st.floats(0, 5))
def test_attempts_in_an_outage_stay_inside_the_limits(dice: Dice, each_takes: float) -> None:
    """`each_takes`: how long an attempt needs to fail; 0 is the hardest for the counts."""
    backoff, delays, attempts, now = ladder(dice), [], [], 0.0
    while now < OUTAGE:
        delays.append(backoff.next_delay(0.0))
        now += delays[-1]
        attempts.append(now)
        now += each_takes
    for start in attempts:
        assert sum(start <= at < start + 60 for at in attempts) <= 24
        assert sum(start <= at < start + 5 for at in attempts) <= 8
    last = delays[-5:]
    assert sum(last) / 5 >= 4.5 or sum(last) / 5 >= 2 * delays[0]
    assert max(delays) <= 10


@given(luck, st.lists(st.floats(0, 300), max_size=40))
def test_every_delay_is_above_nothing_and_below_the_cap_whatever_came_before(dice: Dice, lives: list[float]) -> None:
    backoff = ladder(dice)
    for lasted in lives:
        assert 0.25 <= backoff.next_delay(lasted) <= 10


@given(luck)
def test_the_first_attempt_comes_nearly_at_once(dice: Dice) -> None:
    assert ladder(dice).next_delay(0.0) <= 0.5


@given(luck, st.integers(1, 20))
def test_only_a_stable_connection_starts_the_ladder_again(dice: Dice, failures: int) -> None:
    backoff = ladder(dice)
    for _ in range(failures):
        backoff.next_delay(0.0)
    assert backoff.next_delay(59.9) >= min(5.0, 0.25 * 2**failures)
    assert backoff.next_delay(60.0) <= 0.5


def test_two_clients_do_not_come_in_step() -> None:
    one, other = ladder(random.Random(1)), ladder(random.Random(2))
    assert [one.next_delay(0) for _ in range(9)] != [other.next_delay(0) for _ in range(9)]


def test_a_thousand_failures_do_not_overflow() -> None:
    backoff = ladder(random.Random(1))
    assert all(backoff.next_delay(0.0) <= 10 for _ in range(5000))
