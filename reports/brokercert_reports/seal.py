"""The seal of a record as reports show it, and the bytes of `run.json` that have it. What it is: `brokercert.seal`."""

from __future__ import annotations

from brokercert.seal import chain_of, seal_over, sealed
from brokercert.verdict import RunRecord, encode_run
from msgspec import structs

from brokercert_reports.text import encodable_run


def record_bytes(run: RunRecord) -> bytes:
    """The content of `run.json`, with chain and seal. A record of before there were seals gets none."""
    if not run.manifest:
        return encode_run(encodable_run(run))
    return sealed(encode_run(encodable_run(structs.replace(run, chain=chain_of(run), seal=""))))


def seal_of(run: RunRecord) -> str:
    """That of its `run.json`; empty for one that was only judged again, which may stand in no file, or has none."""
    if "judged" in run.environment or not run.manifest:
        return ""
    return run.seal or seal_over(record_bytes(run))
