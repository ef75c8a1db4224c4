"""`brokercert check`: what it prints of real programs, and its exit statuses."""

from __future__ import annotations

import sys
from pathlib import Path

import brokercert.cli
import pytest
from brokercert.verdict import ExitCode


def test_a_program_that_never_comes_is_told_with_what_it_printed_and_what_to_do(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = brokercert.cli.main(
        ["check", "--", sys.executable, "-S", "-c", "print('no \\x1b[31mkey'); raise SystemExit(3)"]
    )
    out, err = capfd.readouterr()
    assert code == ExitCode.INCOMPLETE and "one start, 20 s at most, no verdict" in err
    lines = out.splitlines()
    assert lines[0].startswith("What ") and lines[0].endswith(" -c did:")
    assert lines[1].startswith("  - it never came to 127.0.0.1:") and lines[1].endswith(" before it left")
    assert lines[2].startswith("  - it left by itself ") and lines[2].endswith(": exit 3 (not asked)")
    assert lines[3:5] == ["Its last lines:", "    no \\x1b[31mkey"]
    assert lines[6:] in ([], [text for text in lines[6:] if text.startswith("It did not inherit ")])
    assert lines[5].startswith("Next: give it the address and the token, by BROKERCERT_URL and BROKERCERT_TOKEN")
    assert not (folder / "out").exists(), "nothing is kept"


def test_a_client_that_is_well_is_told_what_can_be_asked_of_it_and_the_next_command(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "brokercert.toml").write_text(
        f"[subject]\nname = 'mine'\ncommand = ['{sys.executable}', '-P', '-m', 'brokercert.reference.tradovate']\n"
        "[capabilities.absent]\nshards = 'one socket is enough'\n"
    )
    code = brokercert.cli.main(["check"])
    out, _ = capfd.readouterr()
    assert code == 0
    assert "What mine did:\n  - it connected to 127.0.0.1:" in out and "Its last lines" not in out
    assert "What can be asked of it at level wire: " in out and "  - of part core: 33 of 33 rows\n" in out
    assert 'offers = ["tls"] under [capabilities]: 1 row (CON-030). Takes a CA.' in out
    assert 'offers = ["shards"]' not in out, "it is declared absent"
    assert out.splitlines()[-1] == f"Next: brokercert certify --config {folder}/brokercert.toml --part core"


def test_a_placeholder_that_is_misspelt_starts_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "brokercert.toml").write_text("[subject]\ncommand = ['sh']\n[subject.env]\nWS = '{ulr}'\n")
    assert brokercert.cli.main(["check"]) == ExitCode.USAGE
    out, err = capfd.readouterr()
    assert not out and err == (
        f"brokercert: {folder}/brokercert.toml: subject.env.WS: {{ulr}} is no placeholder; did you mean {{url}}? (for "
        "that text itself write {{ulr}})\n"
    )
