"""One word for all traces of a run: who keeps it can tell later whether another set of files is the same.

It is a chain of SHA-256, trace by trace in the order of their names. Each trace's own hash was made as its records were
written, so that a file which somebody changed on the disk meanwhile has another one. `brokercert judge` makes the same
seal of the same files. It is no signature: who changes the files can make a seal of those.
"""

from __future__ import annotations

import hashlib

from brokercert.verdict import RunRecord


def seal_of(run: RunRecord) -> str:
    """64 hexadecimal digits; nothing where no trace was written."""
    traces = sorted((one.name, one.play, one.sha256) for one in run.scenarios if one.sha256)
    link = hashlib.sha256(f"{run.set_id} {run.set_version} {run.set_hash}".encode()).hexdigest()
    for name, play, digest in traces:
        link = hashlib.sha256(f"{link} {name} {play} {digest}".encode()).hexdigest()
    return link if traces else ""
