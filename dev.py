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
    python3 dev.py bench                                       how fast fuzzing is, as ratios
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
import textwrap
import time
import tomllib
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / "tools"
MARK = VENV / "brokercert-setup"
LOCK = ROOT / ".setup.lock"
SETUP_WITHIN = 900  # seconds that another set-up of the same checkout is waited for
INSTALL_HINT = "apt install python3-venv   (or: pip install --user virtualenv)"


def say(text):
    print(f"dev.py: {text}", flush=True)


def fail(text, status=2):
    print(f"dev.py: {text}", file=sys.stderr, flush=True)
    sys.exit(status)


def fingerprint(root=ROOT, version=sys.version):
    """What a .venv was made from: a change of any of it makes it outdated."""
    digest = hashlib.sha256(version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((root / name).read_bytes())
    digest.update(str(root).encode())  # an editable install holds this path
    return digest.hexdigest()


def is_ready(venv=VENV, mark=MARK):
    try:
        return mark.read_text() == fingerprint() and (venv / "bin" / "python").exists()
    except OSError:
        return False


@contextlib.contextmanager
def lock():
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


def dev_requirements(pyproject):
    """The development group, for pips that do not know of groups."""
    return list(tomllib.loads(pyproject)["dependency-groups"]["dev"])


def makers():
    """Ways to make a virtual environment, best first: (name, command)."""
    yield "venv", [sys.executable, "-m", "venv", str(VENV)]
    yield "virtualenv", [sys.executable, "-m", "virtualenv", "-q", str(VENV)]
    for name in ("virtualenv", "uv"):
        found = shutil.which(name)
        if found:
            verb = ["venv", "--seed"] if name == "uv" else []
            yield name, [found, *verb, "-q", "-p", sys.executable, str(VENV)]


def make_venv():
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


def has_pip():
    python = VENV / "bin" / "python"
    if not python.exists():
        return False
    return subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True).returncode == 0


def set_up():
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


def run_setup(command):
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


def run(*command, cwd=ROOT, env=None, before=None):
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


def tool(name):
    return VENV / "bin" / name


def certify(arguments):
    return run(tool("brokercert"), "certify", *with_client(arguments), cwd=Path.cwd())  # its command may be relative


def with_client(arguments):
    """Arguments of `brokercert certify`, which asks for the reference client only where it is told to."""
    if names_a_client(arguments):
        return arguments
    say("no client is named: --reference is added")
    return ["--reference", *arguments]


def names_a_client(arguments, environ=os.environ, start=None):
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
BESIDE = ("-n", "2", "--dist", "loadfile", f"--ignore={TIMED}")
LOWERED = 10  # niceness


def test(arguments):
    if arguments:
        return run(tool("python"), "-m", "pytest", *arguments)
    pytest = list(map(str, (tool("python"), "-m", "pytest")))
    with tempfile.TemporaryFile() as told:
        timed = subprocess.Popen([*pytest, TIMED], cwd=ROOT, stdout=told, stderr=subprocess.STDOUT)
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


def lint(arguments):
    return run(tool("ruff"), "check", *arguments) or run(tool("ruff"), "format", "--check")


def types(arguments):
    return run(tool("mypy"), *arguments)


def check(arguments):
    """All of them, whatever the first says: who mends one sees the others too."""
    parts = {
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


def of_tools(name, cwd=lambda: ROOT):
    """The verb that starts a program of tools/."""
    return lambda arguments: run(tool("python"), TOOLS / f"{name}.py", *arguments, cwd=cwd())


def toxiproxy(arguments):
    return run(tool("python"), "harness/brokercert/toxiproxy/install.py", ROOT / ".tools")


def repeat(arguments):
    return of_tools("repeat", Path.cwd)(with_client(arguments))


def fuzz(arguments):
    """Atheris is no dependency: 35 MB, and for few Pythons. Who wants it gets it here."""
    if subprocess.run([tool("python"), "-c", "import atheris"], capture_output=True).returncode:
        say("installing atheris")
        if run(tool("python"), "-m", "pip", "--disable-pip-version-check", "install", "-q", "atheris"):
            fail("atheris cannot be installed here; `brokercert fuzz --target NAME` needs nothing more")
    return of_tools("guided")(arguments)


FOREIGN = {
    "pyproject.toml": """\
        [tool.pytest]
        strict_markers = true
        filterwarnings = ["error"]
        """,
    "test_theirs.py": """\
        def test_theirs() -> None:
            assert 1 + 1 == 2
        """,
    "conftest.py": "",
}


def wheel(arguments):
    """Build the wheel, install it into a project that is not ours, and try its doors there."""
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        status = run(tool("python"), "-m", "pip", "wheel", "-q", "--no-deps", "-w", scratch, ROOT)
        if status:
            return status
        built = next(scratch.glob("brokercert-*.whl"))
        (ROOT / "dist").mkdir(exist_ok=True)
        shutil.copy(built, ROOT / "dist")
        project = scratch / "project"
        project.mkdir()
        for name, text in FOREIGN.items():
            (project / name).write_text(textwrap.dedent(text))
        say(f"installing {built.name} into a project of its own")
        python = foreign_venv(scratch / "venv")
        commands = (
            (python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", built),
            (python, "-m", "brokercert", "list"),
            (python, "-m", "pytest", "-q"),  # inert: the project's own test, nothing more
        )
        for command in commands:
            status = run(*command, cwd=project)
            if status:
                return status
        return door_in_pytest(python, project)


def foreign_venv(folder):
    for _name, command in makers():
        if subprocess.run([*command[:-1], str(folder)], capture_output=True).returncode == 0:
            return folder / "bin" / "python"
    fail(f"no virtual environment could be made: {INSTALL_HINT}")


def door_in_pytest(python, project):
    """A filtered run: its rows pass, and the certificate fails, since a filter never makes a pass."""
    report = project / "TEST-stage2.xml"
    rows = ("LOG-025", "EVT-020")
    only = [text for row in rows for text in ("--brokercert-only", row)]
    status = run(
        python, "-m", "pytest", "-q", "-m", "stage2", "--brokercert-reference", *only, "--junitxml", report, cwd=project
    )
    cases = list(ElementTree.parse(report).getroot().iter("testcase")) if report.exists() else []
    bad = {place(case) for case in cases if case.find("failure") is not None or case.find("error") is not None}
    ours = {place(case) for case in cases if place(case).endswith(rows)}
    if status != 1 or len(ours) != len(rows) or ours & bad or not any("certificate" in name for name in bad):
        say(f"pytest ended with {status}; rows reported: {sorted(ours)}; not passed: {sorted(bad)}")
        return 1
    say("the filtered run's rows passed, and its certificate failed, as it must")
    return 0


def place(case):
    """Where a test case stands: the requirement is in the class's name, the scenario in its own; as pytest groups."""
    name = case.get("classname", "")
    return name if "." in name else f"{name}.{case.get('name')}"


def clean(arguments):
    for name in (".venv", "dist", "build", "out", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"):
        shutil.rmtree(ROOT / name, ignore_errors=True)
    LOCK.unlink(missing_ok=True)
    return 0


VERBS = {
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
    "wheel": wheel,
    "clean": clean,
}


def main(arguments):
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
