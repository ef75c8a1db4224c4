"""The text of a saved page, line by line, whatever it was saved as: HTML, Markdown, plain text.

A line is what stands alone on the page: a paragraph, a point of a list, a row of a table, a line of code. What
frames a page (scripts, navigation, buttons) is none of its text.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

HTML, MARKDOWN, TEXT = "HTML", "Markdown", "plain text"
SUFFIXES = {".html": HTML, ".htm": HTML, ".xhtml": HTML, ".md": MARKDOWN, ".markdown": MARKDOWN, ".txt": TEXT}
_INLINE = frozenset(
    "a abbr b bdi bdo cite code data del dfn em font i ins kbd label mark q s samp small span strong sub sup time tt u "
    "var wbr".split()
)
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_CELLS = frozenset(("td", "th"))  # a row is one line, as in Markdown
_UNSHOWN = frozenset("noscript script style svg template".split())  # never text
_FRAME = frozenset("button dialog iframe nav select".split()) | _UNSHOWN
_OUTSIDE = frozenset("aside footer form header".split())  # a frame outside the page's own part, and text inside it
_BODY = frozenset(("main", "article"))
_TAGS = sorted({*_INLINE, *_VOID, *"details div p summary table td th tr".split()})
_TAG = re.compile(rf"</?(?:{'|'.join(_TAGS)})\b[^<>]*>")
_FENCE = re.compile(r"^\s{0,3}(?:>\s?)*(`{3,}|~{3,})")
_OWN_LINE = re.compile(r"^\s*(?:#{1,6}\s|[-*+]\s|\d{1,3}[.)]\s|\||>|<)|^\s{4}|\|\s*$")
_RULE = frozenset("-=*_|:")
_LINK = re.compile(r"\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")


def kind_of(suffix: str, text: str) -> str:
    """What a page was saved as, by the end of its name, else by how it begins."""
    looks = text.lstrip("\ufeff \t\r\n")[:200].lower()
    return SUFFIXES.get(suffix.lower()) or (HTML if looks.startswith(("<!doctype html", "<html")) else TEXT)


def lines_of(text: str, kind: str) -> list[str]:
    """The lines of its text that hold anything. Nothing is refused: what is no markup is text."""
    if kind == HTML:
        return _html(text)
    return _markdown(text) if kind == MARKDOWN else [line for line in text.splitlines() if line.strip()]


def is_rule(line: str) -> bool:
    """Whether a line is drawn: below a title, between parts, under the head of a table."""
    marks = "".join(line.split())
    return len(marks) >= 3 and set(marks) <= _RULE


def _html(text: str) -> list[str]:
    """The page's own part; where none is marked, all that is no frame; where that is nothing, all that is text."""
    reader = _Reader()
    text = _without_comments(text).replace(
        "<![", "<! ["
    )  # html.parser breaks at `<![` and a word that it does not know
    markup = text.rfind(">") + 1  # what follows is no tag; html.parser would look for its end from each `<` in it
    reader.feed(text[:markup])
    reader.close()
    reader.handle_data(unescape(text[markup:]))
    reader.end_line()
    best = max((rank for _, rank in reader.lines), default=0)
    return [line for line, rank in reader.lines if rank == best]


def _without_comments(text: str) -> str:
    """Without what stands between `<!--` and `-->`, or after a `<!--` that is never closed.

    html.parser would read to the end of the text from each of those.
    """
    parts: list[str] = []
    at = 0
    while (begin := text.find("<!--", at)) >= 0:
        parts.append(text[at:begin])
        end = text.find("-->", begin + 4)
        at = end + 3 if end >= 0 else len(text)
    return "".join([*parts, text[at:]])


class _Reader(HTMLParser):
    """Lines, each with its rank: 2 in the page's own part (`main`, `article`), 0 in a frame, else 1."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[tuple[str, int]] = []
        self._line: list[str] = []
        self._frame = ""  # the outermost open one
        self._depth = 0  # how often its tag is open
        self._inside = 0
        self._pre = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _CELLS:
            self._line.append(" | ")
        if tag in _INLINE or tag in _CELLS:
            return
        self.end_line()
        if self._frame:
            self._depth += tag == self._frame
        elif tag in _FRAME or (tag in _OUTSIDE and not self._inside):
            self._frame, self._depth = tag, 1
        self._inside += tag in _BODY
        self._pre += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.end_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in _INLINE or tag in _CELLS:
            return
        self.end_line()
        if tag == self._frame:
            self._depth -= 1
            self._frame = self._frame if self._depth else ""
        self._inside = max(0, self._inside - (tag in _BODY))
        self._pre = max(0, self._pre - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self._frame in _UNSHOWN:
            return
        if not self._pre:
            self._line.append(data)
            return
        first, *more = data.split("\n")
        self._line.append(first)
        for line in more:
            self.end_line()
            self._line.append(line)

    def end_line(self) -> None:
        """What was read since the last one is a line."""
        line = " ".join("".join(self._line).split())
        if line.strip(" |"):
            self.lines.append((line, 0 if self._frame else 2 if self._inside else 1))
        self._line = []


def _markdown(text: str) -> list[str]:
    found: list[str] = []
    fence = ""
    open_paragraph = in_table = False
    for line in _body_of(text).splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line.strip(" >`~"):
                fence = ""
            elif line.strip():
                found.append(line.strip())
            continue
        if mark:
            fence, open_paragraph = mark[1], False
            continue
        if not line.strip() or is_rule(line):
            open_paragraph, in_table = False, "|" in line  # below the rule of a table stand its rows, framed or not
            continue
        if open_paragraph and not (in_table and "|" in line) and not _OWN_LINE.match(line):
            found[-1] += " " + _shown(line)
        else:
            found.append(_shown(line))
        open_paragraph = not line.lstrip().startswith(("#", "|"))
    return [line for line in found if line.strip()]


def _body_of(text: str) -> str:
    """Without the block of facts that some tools write before a page."""
    match = re.match(r"\ufeff?---\n.*?\n(?:---|\.\.\.)\n", text, re.DOTALL)
    return text[match.end() :] if match else text


def _shown(line: str) -> str:
    """A line as it is shown: without its marks, addresses of links, and tags."""
    line = re.sub(r"^\s*(?:>\s?)*(?:#{1,6}\s+|[-*+]\s+)?", "", line)
    line = _LINK.sub("]", line.replace("![", "["))
    return unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", _TAG.sub("", line))).strip()
