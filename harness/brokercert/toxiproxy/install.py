"""Installs a real toxiproxy-server into a folder, where Go is. Standard library only: `dev.py toxiproxy` runs it.

python install.py TOOLS_DIR
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "v2.12.0"  # the newest whose go.mod the common Go releases take; 2.13 asks for Go 1.27
MODULE = f"github.com/Shopify/toxiproxy/v2/cmd/server@{VERSION}"
BINARY = "toxiproxy-server"
WITHIN = 600  # seconds: the first build of all dependencies on two slow cores takes two minutes


class InstallError(Exception):
    """It could not be installed: says why, and what to do."""


def install_real(tools_dir: Path) -> Path:
    """Build and install; the path of the binary. Raises `InstallError`."""
    go = shutil.which("go")
    if go is None:
        raise InstallError("Go is not on PATH; install it, or do without: the embedded Toxiproxy needs nothing")
    tools_dir = tools_dir.resolve()  # Go takes no relative path
    target = tools_dir / BINARY
    tools_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tools_dir) as scratch:
        env = {**os.environ, "GOBIN": scratch, "CGO_ENABLED": "0"}
        try:
            done = subprocess.run([go, "install", MODULE], env=env, capture_output=True, text=True, timeout=WITHIN)
        except subprocess.TimeoutExpired as error:
            raise InstallError(f"go install {MODULE} did not end within {WITHIN} s") from error
        if done.returncode != 0:
            raise InstallError(f"go install {MODULE} failed:\n{done.stderr.strip()[-2000:]}")
        # The command is called `server` after its folder.
        os.replace(Path(scratch) / "server", target)
    return target


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: install.py TOOLS_DIR", file=sys.stderr)
        return 2
    try:
        print(f"installed {install_real(Path(arguments[0]))}")
    except InstallError as error:
        print(f"toxiproxy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
