#!/usr/bin/env python3
"""Sets brokercert up in this checkout and runs its main jobs. Standard library only.

    python3 dev.py certify [ARGUMENTS OF brokercert certify]   the client that is named; with none named, ours
    python3 dev.py test    [ARGUMENTS OF pytest]
    python3 dev.py lint | types | complexity | check           ruff, mypy, radon; check: all three, and what is stale
    python3 dev.py generate [--check] [--all]                  generated pages and counts anew; all: the scores too
    python3 dev.py new [KIND] [ID]                             lay out the stubs of a new row, KIND `row`
    python3 dev.py toxiproxy                                   a real toxiproxy-server into .tools/ (needs Go)
    python3 dev.py repeat [--idle N] [--busy N] [ARGUMENTS]    certify again and again, compare the verdicts
    python3 dev.py chaos [--runs N] [--short] [CLIENT...]      certify on a machine that stops and is busy
    python3 dev.py nightly [SECTION...] [--show]               what is longer than a build may take
    python3 dev.py virtual [--repeat N] [RUN]                  virtual time: a real run again, or N traces the same
    python3 dev.py mutants [NAME...]                           broken clients as processes: each fails what it must
    python3 dev.py fuzz [--time N] [TARGET...]                 coverage-guided (installs atheris): our own parsers
    python3 dev.py bench                                       how fast fuzzing and cleaning are, as ratios
    python3 dev.py edits [--only TEXT] [--jobs N]              weaken each check in turn: which test notices it?
    python3 dev.py wheel                                       the wheel, tried in somebody else's project
    python3 dev.py clean

Everything is installed into .venv, pinned by constraints.txt. The first run takes a minute or two, later ones start
at once. A half-made or outdated .venv is made anew.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 (an older Python starts this file too, and deserves a sentence)
    here = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"dev.py: this is Python {here}; brokercert needs 3.11 or newer: run dev.py with it")

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / "tools"
MARK = VENV / "brokercert-setup"
LOCK = ROOT / ".setup.lock"
SETUP_WITHIN = 900  # seconds that another set-up of the same checkout is waited for
Verb = Callable[[list[str]], int]  # arguments -> exit status
INSTALL_HINT = "apt install python3-venv   (or: pip install --user virtualenv)"


def say(text: str) -> None:
    print(f"dev.py: {text}", flush=True)


def fail(text: str, status: int = 2) -> NoReturn:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)
    sys.exit(status)


def fingerprint(root: Path = ROOT, version: str = sys.version) -> str:
    """What a .venv was made from: a change of any of it makes it outdated."""
    digest = hashlib.sha256(version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes())
    digest.update(str(root).encode())  # an editable install holds this path
    return digest.hexdigest()


def is_ready(venv: Path = VENV, mark: Path = MARK) -> bool:
    try:
        return mark.read_text() == fingerprint() and (venv / "bin" / "python").exists()
    except OSError:
        return False


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """One set-up at a time in a checkout."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with LOCK.open("w") as handle:
        deadline = time.monotonic() + SETUP_WITHIN
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not told:
                    say("another set-up of this checkout is under way, waiting for it")
                    told = True
                if time.monotonic() > deadline:
                    fail(f"the other set-up did not end in {SETUP_WITHIN} s; end it, then try again")
                time.sleep(0.5)
        yield


def dev_requirements(pyproject: str) -> list[str]:
    """The development group, for pips that do not know of groups."""
    return list(tomllib.loads(pyproject)["dependency-groups"]["dev"])


def makers() -> Iterator[tuple[str, list[str]]]:
    """Ways to make a virtual environment, best first: (name, command)."""
    yield "venv", [sys.executable, "-m", "venv", str(VENV)]
    yield "virtualenv", [sys.executable, "-m", "virtualenv", "-q", str(VENV)]
    for name in ("virtualenv", "uv"):
        found = shutil.which(name)
        if found:
            verb = ["venv", "--seed"] if name == "uv" else []
            yield name, [found, *verb, "-q", "-p", sys.executable, str(VENV)]


def make_venv() -> None:
    errors = []
    for name, command in makers():
        shutil.rmtree(VENV, ignore_errors=True)
        say(f"making .venv with {name}")
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SETUP_WITHIN)
        except (OSError, subprocess.TimeoutExpired) as error:
            errors.append(f"{name}: {error}")
            continue
        if done.returncode == 0 and has_pip():
            return
        errors.append(f"{name}: {(done.stderr or done.stdout).strip().splitlines()[:1]}")
    shutil.rmtree(VENV, ignore_errors=True)
    fail(f"no virtual environment could be made. Install what makes one:\n  {INSTALL_HINT}\ntried: {errors}")


def has_pip() -> bool:
    python = VENV / "bin" / "python"
    if not python.exists():
        return False
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0


def set_up() -> None:
    """Make .venv what pyproject.toml and constraints.txt say."""
    if is_ready():
        return
    with lock():
        if is_ready():
            return
        say("setting up .venv (once; a minute or two)")
        began = time.monotonic()
        make_venv()
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
        constraints = ["-c", str(ROOT / "constraints.txt")]
        say("installing brokercert and its development tools")
        dev = dev_requirements((ROOT / "pyproject.toml").read_text())
        run_setup([*pip, *constraints, "-e", str(ROOT), *dev])
        MARK.write_text(fingerprint())
        say("ready after %.0f s" % (time.monotonic() - began))


def run_setup(command: Sequence[str]) -> None:
    """Run an installing command, saying now and then that it is alive."""
    with subprocess.Popen(command, cwd=ROOT) as process:
        began = time.monotonic()
        while True:
            try:
                status = process.wait(20)
                break
            except subprocess.TimeoutExpired:
                say("still installing, %.0f s" % (time.monotonic() - began))
                if time.monotonic() - began > SETUP_WITHIN:
                    process.kill()
                    fail(f"installing did not end in {SETUP_WITHIN} s")
    if status:
        fail("installing failed (see above); is the package index reachable from here?", 2)


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    before: Callable[[], object] | None = None,
) -> int:
    """Run a command in the foreground; its exit status. Ctrl-C reaches it too, other signals are handed on, and its
    end is awaited. `before` is called in the new process, before the command begins.
    """
    process = subprocess.Popen(list(map(str, command)), cwd=cwd, env=env, preexec_fn=before)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), lambda number, _: process.send_signal(number))
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def tool(name: str) -> Path:
    return VENV / "bin" / name


def certify(arguments: list[str]) -> int:
    return run(tool("brokercert"), "certify", *with_client(arguments), cwd=Path.cwd())  # its command may be relative


def with_client(arguments: list[str]) -> list[str]:
    """Arguments of `brokercert certify`, which asks for the reference client only where it is told to."""
    if names_a_client(arguments):
        return arguments
    say("no client is named: --reference is added")
    return ["--reference", *arguments]


def names_a_client(
    arguments: Sequence[str], environ: Mapping[str, str] = os.environ, start: Path | None = None
) -> bool:
    """Whether these, the environment or a file name one. What is wrong with a file, brokercert itself says."""
    said = any(word in ("--", "--reference", "--config") or word.startswith("--config=") for word in arguments)
    if said or environ.get("BROKERCERT_COMMAND") or environ.get("BROKERCERT_CONFIG"):
        return True
    start = start or Path.cwd()
    for folder in (start, *start.parents):
        for name, table in (("brokercert.toml", ()), ("pyproject.toml", ("tool", "brokercert"))):
            try:
                data = tomllib.loads((folder / name).read_text("utf-8"))
                for key in table:
                    data = data[key]
                return bool(data.get("subject", {}).get("command"))
            except (FileNotFoundError, KeyError):
                continue
            except (OSError, ValueError, TypeError, AttributeError):
                return True
        if (folder / ".git").exists():
            break
    return False


# What measures time in real time, and mostly sleeps; all else runs beside it in two processes of a lower priority, so
# that it does not make the harness stand still there, which plays clients again for minutes.
TIMED = "tests/clients"
SHARE = {"ODD_CLIENTS": "third"}  # all of them take six minutes; the build plays the rest
BESIDE = ("-n", "2", "--dist", "loadfile", f"--ignore={TIMED}", "-m", "not long")
LOWERED = 10  # niceness


def test(arguments: list[str]) -> int:
    if arguments:
        return run(tool("python"), "-m", "pytest", *arguments)
    pytest = list(map(str, (tool("python"), "-m", "pytest")))
    with tempfile.TemporaryFile() as told:
        timed = subprocess.Popen(
            [*pytest, TIMED], cwd=ROOT, stdout=told, stderr=subprocess.STDOUT, env={**os.environ, **SHARE}
        )
        try:
            lower = (lambda: os.nice(LOWERED)) if hasattr(os, "nice") else None
            status = run(*pytest, *BESIDE, before=lower)
            say(f"waiting for {TIMED}")
            while timed.poll() is None and status >= 0:  # below: a signal ended the others
                with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
                    timed.wait(1)
        finally:
            timed.kill()
            timed.wait()
        told.seek(0)
        print(told.read().decode("utf-8", "replace"), flush=True)
    return status or timed.returncode


def lint(arguments: list[str]) -> int:
    return run(tool("ruff"), "check", *arguments) or run(tool("ruff"), "format", "--check")


def types(arguments: list[str]) -> int:
    """The packages, by pyproject.toml; then this file and the tools, which are no package."""
    status = run(tool("mypy"), *arguments)
    return status if arguments else status or run(tool("mypy"), ROOT / "dev.py", *sorted(TOOLS.glob("*.py")))


def check(arguments: list[str]) -> int:
    """All of them, whatever the first says: who mends one sees the others too."""
    parts: dict[str, Callable[[], int]] = {
        "lint": lambda: lint([]),
        "types": lambda: types([]),
        "complexity": lambda: of_tools("complexity")([]),
        "generate --check": lambda: of_tools("generate")(["--check"]),
    }
    bad = []
    for name, part in parts.items():
        say(f"check: {name}")
        bad += [name] if part() else []
    say(f"check: not as it must be: {', '.join(bad)}" if bad else "check: all is as it must be")
    return 1 if bad else 0


def of_tools(name: str, cwd: Callable[[], Path] = lambda: ROOT) -> Verb:
    """The verb that starts a program of tools/."""
    return lambda arguments: run(tool("python"), TOOLS / f"{name}.py", *arguments, cwd=cwd())


def toxiproxy(arguments: list[str]) -> int:
    return run(tool("python"), "harness/brokercert/toxiproxy/install.py", ROOT / ".tools")


def repeat(arguments: list[str]) -> int:
    return of_tools("repeat", Path.cwd)(with_client(arguments))


def fuzz(arguments: list[str]) -> int:
    """Atheris is no dependency: 35 MB, and for few Pythons. Who wants it gets it here."""
    if subprocess.run([tool("python"), "-c", "import atheris"], capture_output=True).returncode:
        say("installing atheris")
        if run(tool("python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", "atheris"):
            fail("atheris cannot be installed here; `brokercert fuzz --target NAME` needs nothing more")
    return of_tools("guided")(arguments)


def clean(arguments: list[str]) -> int:
    for name in (".venv", "dist", "build", "out", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    LOCK.unlink(missing_ok=True)
    return 0


VERBS: dict[str, Verb] = {
    "certify": certify,
    "test": test,
    "lint": lint,
    "types": types,
    "complexity": of_tools("complexity"),
    "check": check,
    "generate": of_tools("generate"),
    "new": of_tools("new"),
    "toxiproxy": toxiproxy,
    "repeat": repeat,
    "chaos": of_tools("chaos"),
    "nightly": of_tools("nightly"),
    "virtual": of_tools("virtual", Path.cwd),  # its runs may be named from where one is
    "mutants": of_tools("mutants"),
    "fuzz": fuzz,
    "bench": of_tools("bench"),
    "edits": of_tools("edits"),
    "wheel": of_tools("foreign"),
    "clean": clean,
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("help", "-h", "--help"):
        print(__doc__)
        return 0 if arguments else 2
    verb = VERBS.get(arguments[0])
    if verb is None:
        fail(f"no verb {arguments[0]!r}; known: {', '.join(VERBS)}")
    if verb is not clean:
        say(arguments[0])
        set_up()
    return verb(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
