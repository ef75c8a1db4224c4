#!/usr/bin/env python3
"""Makes the broken copies of the example clients: each differs from the correct one in a single line.

    python3 examples/make_broken.py    writes examples/*/broken/*, which git ignores

They show what a failed requirement looks like, and keep the judge honest: each must fail the row that its first line
names, and the client that it was made from must pass that row. Standard library only.
"""

from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent


class Broken(NamedTuple):
    """One broken copy. `old` and `new` are whole lines without their indentation."""

    source: str
    file: str
    row: str
    what: str
    old: str
    new: str


TABLE = (
    Broken(
        "node/client.mjs",
        "node/broken/slow_reconnect.mjs",
        "REC-010",
        "waits 12 s before it reconnects",
        "const delay = Math.max(ladder, pause, outbox.lockedUntil - now());",
        "const delay = Math.max(12_000, pause, outbox.lockedUntil - now());",
    ),
    Broken(
        "node/client.mjs",
        "node/broken/first_message_only.mjs",
        "LOG-070",
        "reads the first message of a frame only",
        "for (const message of content) {",
        "for (const message of content.slice(0, 1)) {",
    ),
    Broken(
        "node/client.mjs",
        "node/broken/no_watchdog.mjs",
        "HBT-050",
        "never notices that the server has fallen silent",
        'session.timers.push(setInterval(() => now() - session.seen > SILENCE && over(session, "silence"), 500));',
        "",
    ),
    Broken(
        "node/outbox.mjs",
        "node/broken/impatient_retry.mjs",
        "RLP-020",
        "retries a penalised request at once",
        "const wait = penaltyIn(data);",
        "const wait = 0;",
    ),
    Broken(
        "node/outbox.mjs",
        "node/broken/wall_clock.mjs",
        "RLP-020",
        "measures by the wall clock: once that was set back, no penalty ends (and no silence is noticed)",
        "export const now = () => performance.now(); // ms: the wall clock may be set back, and this one never is",
        "export const now = () => Date.now();",
    ),
    Broken(
        "node/client.mjs",
        "node/broken/no_goodbye.mjs",
        "OFF-010",
        "leaves without a close frame",
        "if (ws.readyState === WebSocket.OPEN) ws.close(code);",
        "if (ws.readyState === WebSocket.OPEN) ws.terminate();",
    ),
    Broken(
        "python/client.py",
        "python/broken/bad_json_kills.py",
        "MSG-010",
        "dies of malformed JSON",
        "except (ValueError, RecursionError):",
        "except RecursionError:",
    ),
    Broken(
        "python/client.py",
        "python/broken/syncs_once.py",
        "REC-030",
        "syncs on its first socket only",
        "self.outbox.submit(self.sync)",
        "self.outbox.submit(self.sync) if not self.state.entities else None",
    ),
    Broken(
        "python/client.py",
        "python/broken/no_entity_types.py",
        "EVT-030",
        "asks for no entity types",
        'body["entityTypes"] = ENTITY_TYPES.split()',
        "",
    ),
    Broken(
        "python/client.py",
        "python/broken/hammers.py",
        "LOG-040",
        "sends a refused token again after a second, and again",
        "REFUSED = 27.0  # seconds before a refused token is tried again: at most three uses in a minute",
        "REFUSED = 1.0",
    ),
    Broken(
        "python/outbox.py",
        "python/broken/ticket_misnamed.py",
        "RLP-020",
        "sends the ticket under a name of its own, so that no retry carries it",
        'body = {**(body or {}), "p-ticket": request.ticket}',
        'body = {**(body or {}), "ticket": request.ticket}',
    ),
)

PARTS = ("adapter", "outbox", "state")  # of a client, beside client.mjs or client.py
IMPORTS = {".mjs": '"./{}.mjs"', ".py": "from {} import"}  # how a client names its part


def texts() -> dict[str, str]:
    """Every file that is made: the copies, and beside them, unchanged, the parts that they import."""
    made: dict[str, str] = {}
    for folder, ending in (("node", ".mjs"), ("python", ".py")):
        made |= {f"{folder}/broken/{part}{ending}": read(f"{folder}/{part}{ending}") for part in PARTS}
    for broken in TABLE:
        made |= copies_of(broken)
    return made


def copies_of(broken: Broken) -> dict[str, str]:
    """A broken client. Where the line to change is in a part of it, that part's copy, and a client that imports it.

    Raises `ValueError` where the line is not in its source exactly once.
    """
    source, file = Path(broken.source), Path(broken.file)
    if source.stem == "client":
        return {broken.file: changed(broken, broken.source, broken.old, broken.new)}
    copy = f"{source.stem}_{file.stem}"
    client = f"{source.parent}/client{source.suffix}"
    called = IMPORTS[source.suffix].format(source.stem)
    line = next((line for line in read(client).splitlines() if called in line), called)
    return {
        f"{file.parent}/{copy}{file.suffix}": changed(
            broken, broken.source, broken.old, broken.new, f"part of {file.name}, which "
        ),
        broken.file: changed(broken, client, line, line.replace(called, IMPORTS[source.suffix].format(copy))),
    }


def changed(broken: Broken, source: str, old: str, new: str, part_of: str = "") -> str:
    lines = read(source).splitlines()
    places = [number for number, line in enumerate(lines) if line.strip() == old]
    if len(places) != 1:
        raise ValueError(f"{source}: {len(places)} lines are {old!r}; expected one; mend TABLE")
    number = places[0]
    indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
    lines[number] = (indent + new).rstrip()
    comment = "//" if broken.file.endswith(".mjs") else "#"
    return "\n".join([f"{comment} {part_of}fails {broken.row}: {broken.what}", *lines, ""])


def read(file: str) -> str:
    return (HERE / file).read_text("utf-8")


def write() -> list[Path]:
    """Make them all anew."""
    made = []
    for file, text in texts().items():
        path = HERE / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        made.append(path)
    return made


if __name__ == "__main__":
    print(*write(), sep="\n")
