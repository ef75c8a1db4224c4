"""A broker of another package goes through every door, and nothing of ours knows it."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from installed import environment, install

SET = "ferry-rides"
ROWS = ["FBO-010", "FBO-020", "FST-010", "FST-020", "FST-030", "FFA-010"]
WITHIN = 50  # seconds for one command: it takes two to eight
CLIENT = (sys.executable, "-P", "-m", "ferry_broker.client")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("site"))


def ask(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder of somebody's own, with the package installed."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(site),
        capture_output=True,
        text=True,
        timeout=WITHIN,
    )


def record_in(folder: Path) -> dict[str, str]:
    run = json.loads((folder / "run.json").read_text("utf-8"))
    return {"outcome": run["outcome"], **{row["id"]: row["verdict"] for row in run["rows"]}}


def test_list_shows_a_whole_set(site: Path, tmp_path: Path) -> None:
    done = ask(site, tmp_path, "brokercert", "list", "--set", SET, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["requirements"]
    assert [row["id"] for row in rows] == ROWS
    assert all(row["state"] == "judged" and row["mutants"] for row in rows)


def test_explain_finds_a_row_without_being_told_the_set(site: Path, tmp_path: Path) -> None:
    done = ask(site, tmp_path, "brokercert", "explain", "FST-020")
    assert done.returncode == 0, done.stderr
    assert "Limit back_least: 500 ms (doc)" in done.stdout and "Judged after: lost; demanded by FBO-020" in done.stdout


def test_its_register_is_printed(site: Path, tmp_path: Path) -> None:
    done = ask(site, tmp_path, "brokercert.sources", SET)
    assert done.returncode == 0, done.stderr
    assert "10 sentences: 6 judged by rows, 4 not testable from outside. Cited as `FP`." in done.stdout


def test_certify_takes_its_placeholders_and_judge_says_the_same(site: Path, tmp_path: Path) -> None:
    """The client has its badge from the command line alone, so that `{badge}` must be filled."""
    shell = ("sh", "-c", 'BROKERCERT_BADGE=$0 exec "$@"', "{badge}")
    certified = ask(site, tmp_path, "brokercert", "certify", "--set", SET, "--", *shell, *CLIENT)
    assert certified.returncode == 0, certified.stdout + certified.stderr
    live = record_in(tmp_path / "out" / "latest")
    assert live == {"outcome": "certified", **dict.fromkeys(ROWS, "pass")}
    judged = ask(site, tmp_path, "brokercert", "judge", "out/latest", "--out", "again")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert record_in(tmp_path / "again") == live


def test_a_wrong_client_fails_what_it_gets_wrong(site: Path, tmp_path: Path) -> None:
    mutant = (sys.executable, "-P", "-m", "ferry_broker.mutants", "skips-a-fare")
    done = ask(site, tmp_path, "brokercert", "certify", "--set", SET, "--only", "FFA-010", "--", *mutant)
    assert done.returncode == 1, done.stdout + done.stderr
    assert record_in(tmp_path / "out" / "latest")["FFA-010"] == "fail"


def test_serve_lets_a_client_aboard(site: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "brokercert", "serve", "--set", SET]
    broker = subprocess.Popen(
        command, cwd=tmp_path, env=environment(site), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    client = None
    try:
        assert broker.stdout is not None
        env: dict[str, str] = {}
        while "BROKERCERT_STATE_DIR" not in env:
            name, _, value = shlex.split(broker.stdout.readline())[1].partition("=")
            env[name] = value
        client = subprocess.Popen(CLIENT, env={**environment(site), **env}, stdout=subprocess.DEVNULL)
        told = [broker.stdout.readline()]
        while '"paid"' not in told[-1]:
            assert told[-1], "the broker ended"
            told.append(broker.stdout.readline())
        broker.send_signal(signal.SIGINT)
        broker.communicate(timeout=WITHIN)
    finally:
        for process in filter(None, (client, broker)):
            process.kill()
            process.wait()
    assert broker.returncode == 0
    assert "«badge#1»" in "".join(told) and env["BROKERCERT_BADGE"] not in "".join(told)


def test_the_matrix_is_as_written_and_its_score_is_kept_beside_the_set(site: Path, tmp_path: Path) -> None:
    done = ask(site, tmp_path, "brokercert", "matrix", "--set", SET, "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "this suite catches 6 of 6 known defects" in done.stdout
    kept = json.loads((site / "ferry_broker" / "suite" / "data" / "scores.json").read_text("utf-8"))
    assert list(kept) == [SET] and kept[SET]["killed"] == 6


def test_the_page_of_known_defects_is_that_of_its_mutants(site: Path, tmp_path: Path) -> None:
    done = ask(site, tmp_path, "brokercert", "matrix", "--set", SET, "--page", "page.md")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text("utf-8")
    assert f"## {SET}" in page and "| `hammers` |" in page and "tradovate-stage2" not in page


@pytest.mark.long
def test_pytest_certifies_by_its_marker(site: Path, tmp_path: Path) -> None:
    ours = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist")
    done = ask(site, tmp_path, "pytest", "-m", "ferry", "--brokercert-reference", "-q", *ours)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout and f"certified for {SET} (6 of 6 rows applicable)" in done.stdout


def test_an_ordinary_pytest_run_imports_nothing_of_it(tmp_path: Path) -> None:
    """Its marker is known all the same, and bound to its set."""
    site = install(tmp_path / "site")
    (site / "ferry_broker" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    code = "import sys, brokercert.pytest_plugin as p; print(p.MARKERS['ferry'], 'ferry_broker' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(site), capture_output=True, text=True, timeout=WITHIN
    )
    assert done.stdout.split() == [SET, "False"], done.stderr
