"""How a Python process of our own is started, beside a project whose files and settings do not concern it.

The law: what it imports and how it starts follows from the interpreter and what is installed in it, never from the
folder it is started in, the project's import path, or variables that other tools leave for Python processes.
Standard library only, and nothing heavy: pytest imports this in every run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

OURS = ("brokercert", "brokercert_mock", "brokercert_scenarios", "brokercert_reports")

# Variables that tools read when a Python process starts: the interpreter itself, pytest, coverage, pytest-cov.
STARTING = ("PYTHON", "PYTEST", "COVERAGE", "COV_CORE")

# Of these, what says where the interpreter and its packages are, how file names are encoded, and where bytecode goes.
KEPT = frozenset(
    "PYTHONHOME PYTHONPLATLIBDIR PYTHONUSERBASE PYTHONNOUSERSITE PYTHONUTF8 PYTHONCOERCECLOCALE "
    "PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX".split()
)


def own_command(script: str, *arguments: str) -> list[str]:
    """The command line that runs one of our files. `-P`: its folder is not a place to import from."""
    return [sys.executable, "-P", *(["-s"] if sys.flags.no_user_site else []), script, *arguments]


def own_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without what would change how a Python process starts."""
    kept = {name: value for name, value in environ.items() if name in KEPT or not name.startswith(STARTING)}
    return kept | ({"PYTHONUTF8": "1"} if sys.flags.utf8_mode else {})  # -X utf8: names must be encoded alike


def package_folders(path: Iterable[str]) -> list[str]:
    """Where our packages were found, and those folders of `path` (PYTHONPATH's) in which packages are installed.

    They are for the end of a process's import path: it has no PYTHONPATH, and its own folders come first.
    """
    specs = [find_spec(name) for name in OURS]
    ours = [str(Path(place).parent) for spec in specs if spec for place in spec.submodule_search_locations or ()]
    return list(dict.fromkeys([*ours, *(folder for folder in path if _has_installed(folder))]))


def _has_installed(folder: str) -> bool:
    return bool(folder) and any(Path(folder).glob("*.dist-info"))
