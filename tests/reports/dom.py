"""A page as a tree, and what a browser makes of it: names of controls, landmarks, which rules of its style apply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset("meta link br img input hr".split())
CONTROLS = frozenset("a button summary select input".split())
BLOCKS = frozenset("p li td th dd dt small h1 h2 h3 h4 details div body header footer nav section article".split())


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, *tags: str) -> list[Node]:
        return [node for node in self.walk() if node.tag in tags]

    @property
    def up(self) -> Iterator[Node]:
        """Itself, and what it stands in."""
        yield self
        if self.parent is not None:
            yield from self.parent.up

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def text(self, *, seen: bool = False) -> str:
        """`seen`: without what only a screen reader has."""
        return " ".join("".join(self._texts(seen)).split())

    def _texts(self, seen: bool) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif not (seen and "mark" in child.classes):
                yield from child._texts(seen)


class _Tree(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = self.at = Node("", {})
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.children.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.at.tag == tag and self.at.parent is not None, f"{tag} closes {self.at.tag}"
            self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.children.append(data)


def tree(html: str) -> Node:
    return _Tree(html).root


def by_id(root: Node, ident: str) -> Node:
    (node,) = (node for node in root.walk() if node.attributes.get("id") == ident)
    return node


def name_of(node: Node, root: Node) -> str:
    """The accessible name: `aria-labelledby`, `aria-label`, its label around it, or what it holds."""
    if "aria-labelledby" in node.attributes:
        return by_id(root, node.attributes["aria-labelledby"]).text()
    if "aria-label" in node.attributes:
        return node.attributes["aria-label"]
    if node.tag in ("select", "input"):
        return next(up.text(seen=True) for up in node.up if up.tag == "label")
    return node.text()


def landmarks(root: Node) -> list[tuple[str, str]]:
    """Role and name of each: as HTML gives them to elements, and as `role` says."""
    found = []
    for node in root.walk():
        inside = {up.tag for up in node.up if up is not node}
        role = node.attributes.get("role") or {"main": "main", "nav": "navigation"}.get(node.tag, "")
        if node.tag in ("header", "footer") and not inside & {"article", "section", "main"}:
            role = node.tag
        if node.tag == "section" and {"aria-label", "aria-labelledby"} & set(node.attributes):
            role = "region"
        if role in ("main", "navigation", "region", "header", "footer"):
            labelled = {"aria-label", "aria-labelledby"} & set(node.attributes)
            found.append((role, name_of(node, root) if labelled else ""))
    return found


def outside_landmarks(root: Node) -> list[str]:
    """Texts of the body that stand in none. A link that skips to the main part may."""
    (body,) = root.all("body")
    allowed = {"main", "nav", "header", "footer", "script", "dialog"}
    found = []
    for node in body.walk():
        texts = [child.strip() for child in node.children if isinstance(child, str) and child.strip()]
        if texts and not {up.tag for up in node.up} & allowed and "skip" not in node.classes:
            found += texts
    return found


def target(node: Node) -> Node:
    """What is clicked on: of a field its label, which is around it."""
    return next((up for up in node.up if up.tag == "label"), node) if node.tag in ("input", "select") else node


def alone(node: Node) -> bool:
    """It has its block for itself, so that no line of text gives it its height."""
    block = next(up for up in node.up if up is not node and up.tag in BLOCKS)
    return block.text(seen=True) == node.text(seen=True) or block.tag in ("body", "details")


def as_high(css: str, pixels: int) -> list[str]:
    """The selectors of the rules that make what they match at least that high."""
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    high = [names for names, body in rules if any(int(n) >= pixels for n in re.findall(r"min-height: (\d+)px", body))]
    return [" ".join(name.split()) for names in high for name in names.split(",")]


def matches(node: Node, selector: str) -> bool:
    """Of selectors that are tags and classes, one within another."""
    *outer, last = selector.split()
    if not _simple(node, last):
        return False
    above = [up for up in node.up if up is not node]
    for part in reversed(outer):
        place = next((n for n, up in enumerate(above) if _simple(up, part)), None)
        if place is None:
            return False
        above = above[place + 1 :]
    return True


def _simple(node: Node, part: str) -> bool:
    if re.search(r"[:\[#>]", part):
        return False  # of those this knows nothing
    tag, *classes = part.split(".")
    return (not tag or tag == node.tag) and all(one in node.classes for one in classes)
