"""The build that makes a bundle's pages, in a word. Two builds of one version may make other pages of the same run."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import brokercert_reports

from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.defects import digest_of, sources_of

LIBRARIES = ("jinja2", "markupsafe", "msgspec", "xlsxwriter")  # that write what stands in the pages
WRITES = {".css", ".j2", ".js", ".py"}


@cache
def maker_of(set_id: str) -> str:
    """Sixteen hexadecimal digits, of all sources and libraries that decide the bytes of a page. Looked up once.

    Raises `RequirementError` where no such set is installed.
    """
    folder = Path(brokercert_reports.__file__).parent
    pages = {
        f"reports/{path.relative_to(folder).as_posix()}": path for path in folder.rglob("*") if path.suffix in WRITES
    }
    told = [digest_of(sources_of(load_suite(set_id)) | pages), *(f"{name} {version(name)}" for name in LIBRARIES)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
