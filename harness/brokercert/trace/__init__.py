"""The trace: what happened, once, in order. Written live, read back offline, judged the same both ways."""

from brokercert.trace.labels import Labels
from brokercert.trace.reader import Trace, TraceError, parse_trace, read_header, read_trace, trace_of
from brokercert.trace.records import Body, Header
from brokercert.trace.shape import Lane, Shape, TokenCall
from brokercert.trace.writer import TraceWriter

__all__ = [
    "Body",
    "Header",
    "Labels",
    "Lane",
    "Shape",
    "TokenCall",
    "Trace",
    "TraceError",
    "TraceWriter",
    "parse_trace",
    "read_header",
    "read_trace",
    "trace_of",
]
