"""Whether a client shows the signs of another edition of the set's page.

The law: it is told only where a record shows it, and names the key that the set's own data names. It decides nothing:
a client is judged by the edition that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from brokercert.requirements import RequirementError, RequirementSet, set_named
from brokercert.sets import stem_of
from brokercert.trace import Trace
from brokercert.trace import records as r


def other_edition_in(trace: Trace, rows: RequirementSet) -> str:
    """One sentence where an upgrade in the trace has a sign of another edition; else empty."""
    if not rows.other_editions or rows.source is None:
        return ""
    for keys in _queries(trace):
        for other in rows.other_editions:
            for sign in other.signs:
                if sign.query in keys and sign.without not in keys:
                    return (
                        f"The client asks with `{sign.query}` and without `{sign.without}`, as edition {other.edition} "
                        f"of the page has it. It is judged by edition {rows.source.edition}; "
                        f"{_set_of(rows, other.edition)}."
                    )
    return ""


def _set_of(rows: RequirementSet, edition: str) -> str:
    """What to ask for instead, where this version has it."""
    name = f"{stem_of(rows.id)}@{edition}"
    try:
        return f"{set_named(name).name} is the set of the other"
    except RequirementError:
        return "this version has no set of the other"


def _queries(trace: Trace) -> Iterator[frozenset[str]]:
    """The keys of each upgrade's query."""
    for record in trace.records:
        if isinstance(record, r.Head) and record.upgrade:
            try:
                query = urlsplit(record.target).query
            except ValueError:  # no address at all
                continue
            yield frozenset(key for key, _ in parse_qsl(query, keep_blank_values=True))
