"""All reports of a run into its folder.

The law: a reader finds a whole file or none. Each is written beside its place and renamed into it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from brokercert.verdict import RunRecord, encode_run

from brokercert_reports.html import render_html
from brokercert_reports.junit import render_junit
from brokercert_reports.summary import render_summary
from brokercert_reports.text import encodable_run


def write_reports(run: RunRecord, folder: Path) -> dict[str, Path]:
    """Write run.json, report.html, TEST-<set>.xml and summary.md; the folder is made where it is missing.

    Answers their paths by kind: `run.json`, `HTML`, `JUnit`, `Markdown`. Raises `OSError` where the folder cannot be
    written. All are rendered before the first is written.
    """
    contents = {
        "run.json": ("run.json", encode_run(encodable_run(run))),
        "HTML": ("report.html", render_html(run).encode()),
        "JUnit": (f"TEST-{run.set_id}.xml", render_junit(run)),
        "Markdown": ("summary.md", render_summary(run).encode()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kind, (name, content) in contents.items():
        paths[kind] = folder / name
        _write(paths[kind], content)
    return paths


def _write(path: Path, content: bytes) -> None:
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(beside, 0o644)  # mkstemp's 0600 would hide a report from the CI system's own user
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
