"""Hostile frames are handed over in one way by all who send them: none is lost, and a batch hangs on its seed alone."""

from __future__ import annotations

from random import Random
from typing import Any

from brokercert.hostile import LEVELS, Hostile, generate
from brokercert.hostile.delivery import BATCH, MARKERS, Marker, batches, drawn_batch, send, send_marker
from hypothesis import given
from hypothesis import strategies as st

FRAMES = st.lists(st.builds(lambda seed, level: generate(Random(seed), level), st.integers(), st.sampled_from(LEVELS)))
TYPES = st.sets(st.sampled_from([*MARKERS, "fill"]))


class Wanted:
    def __init__(self, types: set[str]) -> None:
        self.types = types

    def wants(self, state: Any, kind: str, entity: dict[str, Any]) -> bool:
        return kind in self.types


class Broker:
    """A socket and its broker's entities. `went` is what was sent and announced, in order."""

    def __init__(self, types: set[str], wanted: set[str] | None) -> None:
        self.types = types
        self.subscription = None if wanted is None else Wanted(wanted)
        self.went: list[Any] = []
        self.last = 100

    def send_raw(self, data: bytes) -> None:
        self.went.append(data)

    def send_text(self, text: str) -> None:
        self.went.append(text)

    def send_event(self, kind: str, data: Any) -> None:
        self.went.append((kind, data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [{"id": 7, "name": kind}] if kind in self.types else []

    def new_id(self) -> int:
        self.last += 1
        return self.last


@given(FRAMES, st.integers(1, 40))
def test_batches_hold_every_frame_once_and_in_its_order(frames: list[Hostile], size: int) -> None:
    made = list(batches(frames, size))
    assert [frame for batch in made for frame in batch] == frames
    assert all(0 < len(batch) <= size for batch in made)


@given(st.integers(0, 2**32), st.integers(0, 10_000))
def test_a_batch_hangs_on_seed_and_number_alone(seed: int, number: int) -> None:
    def draw(rng: Random, place: int) -> Hostile:
        return Hostile("frame", f"{place}", str(rng.getrandbits(64)))

    batch = drawn_batch(draw, seed, number)
    assert batch == drawn_batch(draw, seed, number) != drawn_batch(draw, seed, number + 1)
    assert [frame.defect for frame in batch] == [str(place) for place in range(BATCH)]


@given(FRAMES)
def test_a_frame_goes_out_as_the_bytes_or_the_text_that_it_is(frames: list[Hostile]) -> None:
    broker = Broker(set(), None)
    send(broker, frames)
    assert broker.went == [frame.wire or frame.text for frame in frames]


@given(TYPES, st.none() | TYPES)
def test_a_marker_is_a_new_entity_of_the_best_type_that_is_there_and_wanted(
    types: set[str], wanted: set[str] | None
) -> None:
    broker = Broker(types, wanted)
    sent = [send_marker(broker, broker, broker.went.append) for _ in range(2)]
    kind = next((kind for kind in MARKERS if kind in types and kind in (wanted or ())), None)
    if kind is None:
        assert sent == [None, None] and not broker.went
        return
    assert sent == [Marker(kind, 101), Marker(kind, 102)]
    created = [
        ("props", {"entityType": kind, "eventType": "Created", "entity": {"id": ident, "name": kind}})
        for ident in (101, 102)
    ]
    assert broker.went == [sent[0], created[0], sent[1], created[1]]  # each is announced before it is sent
