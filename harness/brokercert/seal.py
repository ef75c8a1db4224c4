"""The seal of a run: one word for its record and its traces, by which anybody can tell later whether they are the same.

* Within a trace, a SHA-256 runs along as its lines are written (`trace/file.py`).
* The *chain* is a SHA-256 over those of all traces, one after the other, in the order of their names. Whoever has the
  traces alone can make it again.
* The *seal* is the SHA-256 of `run.json`, chain and all, with nothing where its own seal stands.

It is no signature: who changes the files can make a seal of those. A signature of the seal signs all of it. Pure: no
I/O, no clock.
"""

from __future__ import annotations

import hashlib
import re

from brokercert.verdict import RunRecord

# A field of the record itself: of what lies deeper the line begins with more spaces, and no text holds a line's end.
_SEAL = re.compile(rb'^ "seal": "([0-9a-f]{64})?"', re.MULTILINE)


def chain_of(run: RunRecord) -> str:
    """64 hexadecimal digits, which the set and each trace's SHA-256 decide; nothing where no trace was written."""
    traces = sorted((one.name, one.play, one.sha256) for one in run.scenarios if one.sha256)
    link = hashlib.sha256(f"{run.set_id} {run.set_version} {run.set_hash}".encode()).hexdigest()
    for name, play, digest in traces:
        link = hashlib.sha256(f"{link} {name} {play} {digest}".encode()).hexdigest()
    return link if traces else ""


def seal_over(data: bytes) -> str:
    """The seal of a `run.json`, whatever seal it says it has: 64 hexadecimal digits."""
    return hashlib.sha256(_SEAL.sub(b' "seal": ""', data)).hexdigest()


def sealed(data: bytes) -> bytes:
    """The same `run.json` with its seal in its place."""
    return _SEAL.sub(f' "seal": "{seal_over(data)}"'.encode(), data)


def broken_seal(run: RunRecord, data: bytes) -> str:
    """What differs from what was sealed, in a sentence without its subject, which is the file `data`; empty: nothing.

    A record without a manifest is of before there were seals.
    """
    if not (run.manifest or run.seal):
        return ""
    chain = chain_of(run)
    if run.chain != chain:
        return f"chain: {run.chain or 'none'}; the SHA-256 of its traces make {chain or 'none'}"
    found = seal_over(data)
    if run.seal != found:
        return f"seal: {run.seal or 'none'}; what stands in the file makes {found}, so that something else was altered"
    return ""
