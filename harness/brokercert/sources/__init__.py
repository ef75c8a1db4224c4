"""Source pages: their sentences, the rows that judge each, and what became of them on the page as it is today.

python -m brokercert.sources SET    the register of a set of another package
"""

from brokercert.sources.drift import Drift, drift_of
from brokercert.sources.page import kind_of, lines_of
from brokercert.sources.pinned import Page, page_of, unpinned
from brokercert.sources.register import (
    FOLDER,
    PAGES,
    Section,
    Sentence,
    Source,
    citations,
    load_sources,
    parse_source,
    place_key,
    uncited,
)
from brokercert.sources.render import render_register
from brokercert.sources.wording import worded
from brokercert.sources.words import plain_words

__all__ = [
    "FOLDER",
    "PAGES",
    "Drift",
    "Page",
    "Section",
    "Sentence",
    "Source",
    "citations",
    "drift_of",
    "kind_of",
    "lines_of",
    "load_sources",
    "page_of",
    "parse_source",
    "place_key",
    "plain_words",
    "render_register",
    "uncited",
    "unpinned",
    "worded",
]
