"""Defects of messages: JSON that is well-formed and says what no broker says."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from brokercert.hostile.edits import EDITS, NUMBERS, OTHERS, SNOWMAN, TEXTS, Edit, Path, at, drop, one_of, paths, put
from brokercert.hostile.model import Defect, Hostile, Maker, add, defect
from brokercert.hostile.valid import CHANGES, ENTITIES, MESSAGES, NOBODY, Message, event, message

_encode = msgspec.json.Encoder().encode

# Every place of every valid message. The `i` and `s` of an answer are left out: another number there might be the
# answer to a request that was made.
PLACES: list[tuple[Message, Path]] = [(m, path) for m in MESSAGES for path in paths(m) if path not in (("i",), ("s",))]


# What every client reads of an event before anything else, and one value of each type of JSON.
READ_FIRST: tuple[Path, ...] = (
    ("e",),
    ("d",),
    ("d", "entityType"),
    ("d", "eventType"),
    ("d", "entity"),
    ("d", "entity", "id"),
)
OF_EACH_TYPE: tuple[Any, ...] = (None, True, 0, -0.5, SNOWMAN, [None], {"": None})


def each_type() -> list[Hostile]:
    """An event without each of the fields that are read first, and with it in each other type of JSON. A draw meets
    such a place by luck only: there are hundreds of others.
    """
    valid = event("order", "Updated")
    made = [Hostile("message", "missing", pack(drop(valid, path))) for path in READ_FIRST]
    made += [
        Hostile("message", "null" if value is None else "wrong-type", pack(put(valid, path, value)))
        for path in READ_FIRST
        for value in OF_EACH_TYPE
        if type(value) is not type(at(valid, path))
    ]
    return made


def pack(*messages: Any) -> str:
    return "a" + _encode(messages).decode()


def _edited(edit: Edit) -> Maker:
    def make(rng: Random) -> str:
        original, path = PLACES[int(rng.random() * len(PLACES))]
        return "a" + _encode([edit(rng, original, path)]).decode()

    return make


for _name, (_edit, _text, _weight) in EDITS.items():
    add(Defect("message", _name, _text, _edited(_edit), _weight))


@defect("message", "no-object", "an element of the array is no object")
def _no_object(rng: Random) -> str:
    return pack(one_of(rng, (None, *NUMBERS, *TEXTS, True, [], [None])))


@defect("message", "no-object-among-others", "between two valid messages stands an element that is no object")
def _no_object_among_others(rng: Random) -> str:
    return pack(message(rng), one_of(rng, (None, *NUMBERS, *TEXTS, True, [], [None])), message(rng))


@defect("message", "empty-object", "an element is an object without anything, or without anything known")
def _empty_object(rng: Random) -> str:
    return pack(one_of(rng, ({}, {"d": {}}, {SNOWMAN: SNOWMAN}, {"S": 200, "I": 1}, {"E": "props"})))


@defect("message", "unknown-kind", "an event of a kind that nobody knows")
def _unknown_kind(rng: Random) -> str:
    return pack({"e": one_of(rng, ("tomorrow", SNOWMAN, "", "Props", "constructor", "__proto__")), "d": message(rng)})


@defect("message", "unknown-entity-type", "an event about a type that nobody knows")
def _unknown_entity(rng: Random) -> str:
    kind = one_of(rng, ("tomorrow", SNOWMAN, "", "constructor", "__proto__", "toString"))
    return pack({"e": "props", "d": {"entityType": kind, "eventType": "Created", "entity": {"id": 1}}})


@defect("message", "unknown-change", "an event that neither creates, updates nor deletes")
def _unknown_change(rng: Random) -> str:
    found = event(one_of(rng, tuple(ENTITIES)), one_of(rng, ("created", "Upserted", SNOWMAN, "")))
    return pack(found)


@defect("message", "foreign-entity", "an entity has the fields of another type")
def _foreign_entity(rng: Random) -> str:
    kind, other = one_of(rng, tuple(ENTITIES)), one_of(rng, tuple(ENTITIES))
    data = {"entityType": kind, "eventType": one_of(rng, CHANGES), "entity": ENTITIES[other]}
    return pack({"e": "props", "d": data})


@defect("message", "broken-list", "an entity list holds something else")
def _broken_list(rng: Random) -> str:
    kind = one_of(rng, tuple(ENTITIES))
    entity = [ENTITIES[kind], one_of(rng, (None, 0, SNOWMAN, [], {}, True)), ENTITIES[kind]]
    return pack({"e": "props", "d": {"entityType": kind, "eventType": "Updated", "entity": entity}})


@defect("message", "answer-and-event", "one message is an event and an answer at once")
def _both(rng: Random) -> str:
    return pack({**event("order", "Updated"), "s": 200, "i": NOBODY})


@defect("message", "stray-answer", "an answer to a request that nobody made, with a value that no request asks for")
def _stray_answer(rng: Random) -> str:
    return pack({"s": 200, "i": NOBODY + int(rng.random() * 1000), "d": one_of(rng, (*OTHERS, *TEXTS, *NUMBERS, None))})


@defect("message", "broken-answer", "an answer whose id or status is no number")
def _broken_answer(rng: Random) -> str:
    strange = one_of(rng, (None, SNOWMAN, "", [], {}, True, 0.5, [NOBODY]))
    return pack({"s": 200, "i": strange, "d": {}} if rng.random() < 0.5 else {"s": strange, "i": NOBODY, "d": {}})


@defect("message", "same-field-twice", "a field stands twice, with different values")
def _twice(rng: Random) -> str:
    text = pack(event(one_of(rng, tuple(ENTITIES)), "Updated"))
    return text.replace('"id":', f'"id":{one_of(rng, ("null", "{}", "-1", "[]"))},"id":', 1)


@defect("message", "many-elements", "one frame carries five hundred empty messages", weight=1)
def _many(rng: Random) -> str:
    return "a[" + ",".join(["{}"] * 500) + "]"


@defect("message", "text-elements", "the elements are JSON inside JSON, as another dialect has it")
def _texts(rng: Random) -> str:
    return pack(_encode(message(rng)).decode()[: int(rng.random() * 40)])
