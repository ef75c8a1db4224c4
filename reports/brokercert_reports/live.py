"""The live page of a mock broker: one file of markup, style and script, filled by the socket that it opens itself.

Nothing of a run is in it: whatever is shown comes over the socket and becomes text nodes, never markup.
"""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def render_live(title: str, nonce: str) -> str:
    """The page. `nonce` is that of its content security policy."""
    return _environment().get_template("live.html.j2").render(title=title, nonce=nonce)


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("brokercert_reports"), autoescape=True, undefined=StrictUndefined)
