"""What fuzzing found in our own code: each find stays mended."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest
from brokercert.fuzz.own_files import HEADER, RECORDS
from brokercert.hostile.valid import ENTITIES
from brokercert.reference.tradovate.store import Store
from brokercert.toxiproxy.api import Api
from brokercert.trace import TraceError
from brokercert.trace.reader import parse_trace
from msgspec.json import encode


@pytest.mark.parametrize("status", [[], {}, None, 7])
def test_a_status_that_is_no_text_is_no_end_of_an_order(status: object) -> None:
    store = Store()
    for entity in (ENTITIES["order"], {**ENTITIES["order"], "ordStatus": status}, ENTITIES["order"]):
        assert store.apply({"entityType": "order", "eventType": "Updated", "entity": entity}) == 1


@pytest.mark.parametrize(
    "record", [{**RECORDS[3], "conn": 9}, {**RECORDS[4], "conn": -1}, {**RECORDS[0], "t": 10**300}], ids=str
)
def test_a_trace_that_cannot_be_is_refused_with_its_line(record: object) -> None:
    data = b"\n".join(encode(line) for line in (HEADER, RECORDS[0])) + b"\n" + json.dumps(record).encode() + b"\n"
    with pytest.raises(TraceError, match="trace:3"):
        parse_trace(data)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/proxies", b'{"name":"p","listen":"\\ufffd.x:0","upstream":"127.0.0.1:9"}', 500),
        ("/proxies/base/toxics", b'{"type":"latency","toxicity":' + b"9" * 400 + b"}", 400),
    ],
)
def test_a_body_that_cannot_be_is_answered(path: str, body: bytes, status: int) -> None:
    async def ask() -> int:
        api = Api(Random(1), everywhere=True)  # else no name but localhost is looked up
        base = b'{"name":"base","listen":"127.0.0.1:0","upstream":"127.0.0.1:9","enabled":false}'
        await api.handle("POST", "/proxies", base, "")
        return (await api.handle("POST", path, body, "")).status

    assert asyncio.run(ask()) == status
