"""What kind of client a folder holds, how it is started, and which variables its code reads.

The law: it reads files and runs nothing. Whatever it says is a guess, to be asked or told.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brokercert.engine.ask.given import is_file
from brokercert.engine.client.placeholders import literal
from brokercert.sets import own_sets

PROGRAMS = ("client", "bot", "main", "app", "index", "run")  # what a program's file is usually called
MOST_FILES, MOST_BYTES = 400, 200_000  # sources that are read, and of each
LEFT = {"node_modules", "target", "dist", "build", "vendor", "venv", "out", "bin", "obj", "tests", "test", "examples"}
SOURCES = {".js", ".mjs", ".cjs", ".ts", ".py", ".go", ".rs", ".java", ".kt", ".cs"}
READS = re.compile(
    r"""process\.env(?:\.|\[["'])(\w+)|(?:environ(?:\.get)?[\[(]|[gG]etenv\(|LookupEnv\(|env::var\(|GetEnvironmentVariable\()\s*["'](\w+)["']"""
)
BROKERS = "|".join(sorted({set_id.partition("-")[0] for set_id in own_sets()}))
# A variable's name -> the placeholder that it probably means; the first that fits.
MEANS = tuple(
    (re.compile(pattern, re.IGNORECASE), placeholder)
    for pattern, placeholder in (
        (r"MD.*(URL|WS|HOST)|MARKET.*(URL|WS)", "md_url"),
        (r"(WS|WSS|SOCKET|STREAM)(_?(URL|URI|ENDPOINT))?$|(WS|SOCKET|STREAM).*(URL|URI|ENDPOINT)", "url"),
        (r"(REST|HTTP|API|AUTH).*(URL|URI|BASE|ENDPOINT)", "rest_url"),
        (r"MD.*TOKEN", "md_token"),
        (rf"(ACCESS|AUTH|API|BROKER|{BROKERS}).*TOKEN$|^TOKEN$", "token"),
        (r"SESSION(_ID)?$", "session"),
        (r"(USER|USERNAME|LOGIN)(_?NAME)?$", "user"),
        (r"PASS(WORD)?$", "password"),
        (r"(^|_)CID$", "cid"),
        (r"(^|_)SEC(RET)?$", "sec"),
        (r"DEVICE(_?ID)?$", "device_id"),
        (r"(URL|URI|ENDPOINT)$", "url"),
    )
)


@dataclass(frozen=True, slots=True)
class Found:
    """`file` is what told the language; `command` is empty for a library, and where nothing was recognised. `library`
    is the name by which its code is imported.
    """

    language: str = ""
    file: str = ""
    name: str = ""
    command: tuple[str, ...] = ()
    library: str = ""
    env: dict[str, str] = field(default_factory=dict)  # variable -> placeholder


def detect(folder: Path) -> Found:
    """The first kind of project that is there, in the order of `KINDS`."""
    for name, look in KINDS.items():
        paths = sorted(folder.glob(name))
        if paths:
            found = look(folder, paths[0])
            command = tuple(map(literal, found.command))  # the names of files, and no placeholders
            return Found(found.language, paths[0].name, found.name, command, found.library, variables(folder))
    alone = _python_program(folder)
    if alone:
        return Found("Python", alone[-1], Path(alone[-1]).stem, alone, env=variables(folder))
    return Found()


def variables(folder: Path) -> dict[str, str]:
    """The variables that its sources read and that probably mean something of ours, each with a placeholder."""
    found: dict[str, str] = {}
    for path in _sources(folder):
        with suppress(OSError):
            text = path.read_bytes()[:MOST_BYTES].decode("utf-8", "replace")
            for match in READS.finditer(text):
                name = match.group(1) or match.group(2)
                placeholder = next((p for pattern, p in MEANS if pattern.search(name)), "")
                if placeholder and not name.startswith("BROKERCERT_"):
                    found[name] = placeholder
    return dict(sorted(found.items()))


def _sources(folder: Path) -> Iterator[Path]:
    count = 0
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in LEFT and not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix in SOURCES:
                count += 1
                if count > MOST_FILES:
                    return
                yield Path(where, name)


def _node(folder: Path, path: Path) -> Found:
    data = _table(path, json.loads)
    name = _named(data, folder)
    command = _node_command(folder, data)
    return Found("Node", name=name, command=command, library="" if command else name)


def _node_command(folder: Path, data: Mapping[str, Any]) -> tuple[str, ...]:
    scripts, program = data.get("scripts"), data.get("bin")
    if isinstance(scripts, dict) and scripts.get("start"):
        return ("npm", "start", "--silent")
    if isinstance(program, dict):
        program = next(iter(program.values()), None)
    if isinstance(program, str) and program:
        return ("node", program)
    return () if data.get("exports") else _node_program(folder, data.get("main"))


def _node_program(folder: Path, main: object) -> tuple[str, ...]:
    """A file that is called as programs are, and is not what others import."""
    names = (f"{stem}{end}" for stem in PROGRAMS for end in (".mjs", ".js", ".cjs"))
    return next((("node", name) for name in names if is_file(folder / name) and main != f"./{name}"), ())


def _named(data: Mapping[str, Any], folder: Path) -> str:
    """What a project's file calls it, where that is a name; else the folder's."""
    name = data.get("name")
    return name if isinstance(name, str) and name.strip() else folder.name


def _table(path: Path, loads: Callable[[str], Any]) -> dict[str, Any]:
    """What a project's file holds; nothing where it cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        data = loads(path.read_text("utf-8"))
        if isinstance(data, dict):
            return data
    return {}


def _python(folder: Path, path: Path) -> Found:
    project = _table(path, tomllib.loads).get("project")
    project = project if isinstance(project, dict) else {}
    name = _named(project, folder)
    scripts = project.get("scripts")
    script = next(filter(None, scripts), "") if isinstance(scripts, dict) else ""
    if script:
        return Found("Python", name=name, command=(script,))
    package = name.replace("-", "_")
    for place in (folder / package, folder / "src" / package):
        if is_file(place / "__main__.py"):
            return Found("Python", name=name, command=("python3", "-m", package))
    alone = _python_program(folder)
    return Found("Python", name=name, command=alone, library="" if alone else package)


def _python_program(folder: Path) -> tuple[str, ...]:
    return next((("python3", f"{stem}.py") for stem in PROGRAMS if is_file(folder / f"{stem}.py")), ())


def _go(folder: Path, path: Path) -> Found:
    text = ""
    with suppress(OSError):
        text = path.read_text("utf-8", "replace")
    module = re.search(r"^module\s+(\S+)", text, re.MULTILINE)
    library = module[1] if module else folder.name
    name = library.rpartition("/")[2]
    if any(folder.glob("main.go")):
        return Found("Go", name=name, command=("go", "run", "."))
    inside = sorted(folder.glob("cmd/*/main.go"))
    if inside:
        return Found("Go", name=name, command=("go", "run", f"./cmd/{inside[0].parent.name}"))
    return Found("Go", name=name, library=library)


def _rust(folder: Path, path: Path) -> Found:
    data = _table(path, tomllib.loads)
    package = data.get("package")
    name = _named(package if isinstance(package, dict) else {}, folder)
    if is_file(folder / "src" / "main.rs") or data.get("bin"):
        return Found("Rust", name=name, command=("cargo", "run", "--release", "--quiet"))
    return Found("Rust", name=name, library=name)


def _java(folder: Path, path: Path) -> Found:
    return Found("Java", name=folder.name, command=("mvn", "-q", "compile", "exec:java"))


def _dotnet(folder: Path, path: Path) -> Found:
    return Found("C#", name=path.stem, command=("dotnet", "run"))


KINDS: dict[str, Callable[[Path, Path], Found]] = {
    "package.json": _node,
    "pyproject.toml": _python,
    "go.mod": _go,
    "Cargo.toml": _rust,
    "pom.xml": _java,
    "*.csproj": _dotnet,
}
