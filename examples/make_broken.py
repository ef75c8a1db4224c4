#!/usr/bin/env python3
"""Makes the broken copies of the example clients: each differs from the correct one in a single line.

    python3 examples/make_broken.py            writes examples/*/broken/*
    python3 examples/make_broken.py --check    says whether they are what it would write; exit status 1 if not

They show what a failed requirement looks like, and keep the judge honest: each must fail the row that its first line
names, and the client that it was made from must pass that row. Standard library only.
"""

import sys
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
        "const delay = Math.max(ladder, pause, notBefore - Date.now());",
        "const delay = Math.max(12_000, pause, notBefore - Date.now());",
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
        'session.timers.push(setInterval(() => Date.now() - session.seen > SILENCE && over(session, "silence"), 500));',
        "",
    ),
    Broken(
        "node/client.mjs",
        "node/broken/impatient_retry.mjs",
        "RLP-020",
        "retries a penalised request at once",
        'const wait = (data?.["p-time"] ?? 10) * 1000;',
        "const wait = 0;",
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
        "self.submit(self.sync)",
        "self.submit(self.sync) if not self.entities else None",
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
        "python/client.py",
        "python/broken/ticket_misnamed.py",
        "RLP-030",
        "sends the ticket under a name of its own",
        'body = {**(body or {}), "p-ticket": request.ticket}',
        'body = {**(body or {}), "ticket": request.ticket}',
    ),
)

ADAPTERS = (("node/adapter.mjs", "node/broken/adapter.mjs"), ("python/adapter.py", "python/broken/adapter.py"))


def texts() -> dict[str, str]:
    """Every file that is made: the copies, and beside them the adapters, unchanged, which they import."""
    made = {broken.file: text_of(broken) for broken in TABLE}
    return made | {copy: (HERE / source).read_text("utf-8") for source, copy in ADAPTERS}


def text_of(broken: Broken) -> str:
    """The copy's text. Raises `ValueError` where the line to change is not in its source exactly once."""
    lines = (HERE / broken.source).read_text("utf-8").splitlines()
    places = [number for number, line in enumerate(lines) if line.strip() == broken.old]
    if len(places) != 1:
        raise ValueError(f"{broken.source}: {len(places)} lines are {broken.old!r}; expected one; mend TABLE")
    number = places[0]
    indent = lines[number][: len(lines[number]) - len(lines[number].lstrip())]
    lines[number] = (indent + broken.new).rstrip()
    comment = "//" if broken.file.endswith(".mjs") else "#"
    return "\n".join([f"{comment} fails {broken.row}: {broken.what}", *lines, ""])


def main(arguments: list[str]) -> int:
    """Write the copies, or compare them."""
    differ = 0
    for file, text in texts().items():
        path = HERE / file
        if "--check" in arguments:
            if not path.is_file() or path.read_text("utf-8") != text:
                print(f"{path}: not what make_broken.py makes")
                differ += 1
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
            print(path)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
