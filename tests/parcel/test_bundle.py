"""A bundle: the same bytes each time, refused where it would be partial, and checked far from where it was made."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import forge
import pytest
from brokercert.cli import main
from brokercert.engine.client.environment import tool
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run import believed, defects
from brokercert.engine.run.offline import judge_traces
from brokercert.parcel import check, compared, pack
from brokercert.parcel.manifest import MANIFEST
from brokercert.parcel.statement import ENVELOPE, PREDICATE_TYPE, STATEMENT, STATEMENT_TYPE
from brokercert.parcel.status import Status
from brokercert.requirements import RequirementError
from brokercert.verdict import Outcome, Verdict, decode_run, encode_run
from brokercert_reports.plan import DRAFT
from brokercert_reports.seal import record_bytes
from msgspec import structs


def bundled(run: Path, out: Path, *more: str) -> Path:
    assert main(["bundle", str(run), "--out", str(out), *more]) == 0
    return out


def test_a_bundle_is_whole_in_another_folder_without_network_and_run(
    certified: Path, private: Path, tmp_path: Path
) -> None:
    """In a process of its own, which may connect, ask a name or start a program nowhere; the run's folder has gone."""
    run = shutil.copytree(certified, tmp_path / "run")
    (tmp_path / "far").mkdir()
    path = bundled(run, tmp_path / "far" / "b.zip")
    shutil.rmtree(run)
    code = (
        "import sys\n"
        "REFUSED = ('socket.connect', 'socket.send', 'socket.get', 'subprocess.', 'os.exec', 'os.posix_spawn')\n"
        "def refuse(event, args):\n"
        "    if event.startswith(REFUSED):\n"
        "        raise SystemExit(f'refused: {event} {args}')\n"
        "from brokercert.cli import main\n"
        "sys.addaudithook(refuse)\n"
        f"sys.exit(main(['verify', {path.name!r}]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=path.parent,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert (done.returncode, done.stderr) == (0, ""), done
    lines = done.stdout.splitlines()
    assert lines[0].startswith("b.zip: whole: reference: certified for part core")
    assert any(line.startswith("It proves: ") for line in lines)
    assert any(line.startswith("It cannot prove: ") for line in lines)
    assert any(line.startswith("Not signed") for line in lines)


def test_it_is_the_same_bytes_each_time(certified: Path, private: Path, tmp_path: Path) -> None:
    """From a copy of the folder too, whose files have other dates."""
    first = bundled(certified, tmp_path / "1.zip", "--key", str(private))
    copy = Path(shutil.copytree(certified, tmp_path / "copy", copy_function=shutil.copyfile))
    second = bundled(copy / "run.json", tmp_path / "2.zip", "--key", str(private))
    assert first.read_bytes() == second.read_bytes()


def test_it_holds_all_that_a_partner_needs(certified: Path, private: Path, tmp_path: Path) -> None:
    files = forge.unpacked(bundled(certified, tmp_path / "b.zip", "--key", str(private)))
    run = decode_run(files["run.json"])
    for name in (
        "report.html",
        "plan.html",
        "plan.csv",
        "plan.xlsx",
        "TEST-tradovate-stage2.xml",
        "summary.md",
        "set/set.toml",
    ):
        assert files[name], name
    assert "set/source/stage2.toml" in files and "set/source/arrow.toml" not in files
    assert {name for name in files if name.startswith("traces/")} == {one.trace for one in run.scenarios if one.trace}
    assert {f"logs/{row.id}.txt" for row in run.rows} <= set(files)
    manifest = json.loads(files[MANIFEST])
    listed = {one["path"]: one["sha256"] for one in manifest["files"]}
    assert listed == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name not in (MANIFEST, STATEMENT, ENVELOPE)
    }


def test_the_statement_is_in_toto_s(certified: Path, private: Path, tmp_path: Path) -> None:
    files = forge.unpacked(bundled(certified, tmp_path / "b.zip", "--key", str(private)))
    run, statement, envelope = decode_run(files["run.json"]), json.loads(files[STATEMENT]), json.loads(files[ENVELOPE])
    assert (statement["_type"], statement["predicateType"]) == (STATEMENT_TYPE, PREDICATE_TYPE)
    assert statement["subject"] == [
        {"name": MANIFEST, "digest": {"sha256": hashlib.sha256(files[MANIFEST]).hexdigest()}}
    ]
    predicate = statement["predicate"]
    asked = [row for row in run.rows if row.in_part]
    assert predicate["passedTests"] == [row.id for row in asked if row.verdict is Verdict.PASS] and asked
    assert predicate["failedTests"] == []
    assert predicate["result"] == ("WARNED" if predicate["warnedTests"] else "PASSED")
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    assert envelope["payloadType"] == "application/vnd.in-toto+json"


def test_what_a_waiver_bears_is_told_on_every_page(waived: Path, tmp_path: Path, capsys: Any) -> None:
    """WARNED and never PASSED, and never beside a failed test; and nobody but run.json says who gave it."""
    path = bundled(waived, tmp_path / "b.zip")
    capsys.readouterr()
    assert main(["verify", str(path)]) == Status.WHOLE
    line = "LOG-030 (used), until 2099-12-31, by Ana Lima: due in March"
    told = capsys.readouterr().out
    assert "certified with 1 waiver for part core" in told and ", notes and waivers." in told
    assert f"It cannot prove who decided to bear a failure, and when: {line}" in told
    files = forge.unpacked(path)
    predicate = json.loads(files[STATEMENT])["predicate"]
    assert (predicate["result"], predicate["failedTests"]) == ("WARNED", [])
    assert "LOG-030" in predicate["warnedTests"] and "LOG-030" not in predicate["passedTests"]
    assert predicate["configuration"][0]["annotations"]["waived"] == ["LOG-030"]
    shown = line.removeprefix("LOG-030 ")
    for name in ("plan.csv", "plan.xlsx", "plan.html", "report.html", "summary.md", "logs/LOG-030.txt"):
        assert shown.encode() in files[name], name
    assert b'"waived: ' in files["plan.csv"]
    run = decode_run(files["run.json"])
    assert run.waived_on == run.started[:10], "whenever the file was read"


def test_a_run_that_is_not_certified_is_refused_but_as_a_draft(few: Path, tmp_path: Path, capsys: Any) -> None:
    assert main(["bundle", str(few), "--out", str(tmp_path / "b.zip")]) == 2
    told = capsys.readouterr()
    assert "--draft" in told.err and not list(tmp_path.iterdir())
    path = bundled(few, tmp_path / "b.zip", "--draft")
    assert capsys.readouterr().out.splitlines()[1].startswith("DRAFT, not a certificate: ")
    files = forge.unpacked(path)
    assert json.loads(files[STATEMENT])["predicate"]["result"] == "FAILED"
    for name, content in files.items():
        if name.endswith((".html", ".md", ".xml", "plan.csv", "plan.xlsx")) or name.startswith("logs/"):
            assert DRAFT.encode() in content, name
    assert main(["verify", str(path)]) == Status.DRAFT
    assert "DRAFT, not a certificate" in capsys.readouterr().out.splitlines()[0]


def test_a_run_that_ended_early_is_whole_as_a_draft(failed: Path, tmp_path: Path, capsys: Any) -> None:
    """It says of what it did not play that it was not run, and misses nothing; its traces say the same."""
    folder = Path(shutil.copytree(failed, tmp_path / "run"))
    run = decode_run((folder / "run.json").read_bytes())
    shown = {finding.scenario for row in run.rows for finding in row.findings if finding.verdict is Verdict.FAIL}
    one = next(one for one in run.scenarios if one.name not in shown)
    (folder / one.trace).unlink()
    gone = {
        "state": "not run",
        "trace": "",
        "sha256": "",
        "duration": 0.0,
        "exit": "",
        "output": (),
        "tier": "",
        "began": "",
    }
    scenarios = tuple(structs.replace(x, **gone) if x is one else x for x in run.scenarios)
    told = structs.replace(run, scenarios=scenarios, ended_early="LOG-030 failed, and --fail-fast ended the run there.")
    (folder / "run.json").write_bytes(record_bytes(told))
    rows = judge_traces([folder]).rows
    (folder / "run.json").write_bytes(record_bytes(structs.replace(told, rows=rows)))
    assert main(["verify", str(bundled(folder, tmp_path / "b.zip", "--draft"))]) == Status.DRAFT, (
        capsys.readouterr().out
    )


def test_a_certified_run_says_draft_only_where_it_is_asked_to(certified: Path, tmp_path: Path) -> None:
    whole = forge.unpacked(bundled(certified, tmp_path / "whole.zip"))
    assert not [name for name, content in whole.items() if DRAFT.encode() in content]
    assert main(["verify", str(bundled(certified, tmp_path / "draft.zip", "--draft"))]) == Status.DRAFT


@pytest.mark.parametrize("what", ["gone", "changed", "cut"])
def test_a_partial_run_is_refused(certified: Path, tmp_path: Path, what: str, capsys: Any) -> None:
    run = Path(shutil.copytree(certified, tmp_path / "run"))
    trace = run / "traces" / "login-timed.jsonl"
    data = trace.read_bytes()
    trace.unlink()
    if what != "gone":
        trace.write_bytes(data[:-5] if what == "cut" else data.replace(b"authorize", b"authorise", 1))
    for more in ([], ["--draft"]):
        assert main(["bundle", str(run), *more]) == 2
        assert str(trace) in capsys.readouterr().err
    assert not list(run.glob("*.zip"))


def test_what_a_run_says_of_itself_must_follow(certified: Path, tmp_path: Path, capsys: Any) -> None:
    run = Path(shutil.copytree(certified, tmp_path / "run"))
    record = decode_run((run / "run.json").read_bytes())
    (run / "run.json").write_bytes(encode_run(structs.replace(record, outcome=Outcome.FAILED)))
    assert main(["bundle", str(run)]) == 2
    assert "outcome" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"hello", b"PK", b"{}", b"\x1f\x8b" * 40])
def test_what_is_no_bundle_cannot_be_checked(tmp_path: Path, content: bytes, capsys: Any) -> None:
    path = tmp_path / "b.zip"
    path.write_bytes(content)
    assert main(["verify", str(path)]) == Status.UNREADABLE
    assert "cannot be checked: it is no bundle" in capsys.readouterr().out


def test_what_is_no_file_is_wrong_usage(tmp_path: Path, capsys: Any) -> None:
    os.mkfifo(tmp_path / "b.zip")
    assert main(["verify", str(tmp_path / "b.zip")]) == 2
    assert "it is no file" in capsys.readouterr().err


def test_no_other_file_is_written_over(few: Path, tmp_path: Path, capsys: Any) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    assert main(["bundle", str(few), "--draft", "--out", str(other)]) == 2
    assert "no bundle" in capsys.readouterr().err and other.read_text() == "mine"
    for _ in range(2):
        bundled(few, tmp_path / "b.zip", "--draft")


def test_a_newer_format_cannot_be_checked(few: Path, tmp_path: Path, capsys: Any) -> None:
    files = forge.unpacked(bundled(few, tmp_path / "b.zip", "--draft"))
    (tmp_path / "c.zip").write_bytes(forge.zipped(forge.with_document(files, MANIFEST, lambda d: d.update(format=2))))
    assert main(["verify", str(tmp_path / "c.zip")]) == Status.UNREADABLE
    assert "format 2; this version reads 1" in capsys.readouterr().out


def test_a_set_that_is_not_installed_gets_one_sentence(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    path = bundled(few, tmp_path / "b.zip", "--draft")
    capsys.readouterr()

    def gone(set_id: str) -> None:
        raise RequirementError(f"no requirement set {set_id!r}")

    monkeypatch.setattr(check, "load_set", gone)
    assert main(["verify", str(path)]) == Status.UNREADABLE
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "tradovate-stage2" in told and "install the package" in told


@pytest.mark.parametrize("here", ["version", "build"])
def test_another_judge_that_judges_otherwise_has_a_status_of_its_own(
    few: Path, tmp_path: Path, here: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    path = bundled(few, tmp_path / "b.zip", "--draft")
    judged = check.judge_traces

    def otherwise(*paths: Any, **more: Any) -> Any:
        run = judged(*paths, **more)
        rows = [structs.replace(row, verdict=Verdict.FAIL) if row.id == "LOG-030" else row for row in run.rows]
        return structs.replace(run, rows=tuple(rows))

    monkeypatch.setattr(check, "judge_traces", otherwise)
    capsys.readouterr()
    assert main(["verify", str(path)]) == Status.WRONG, "of the same version: it was tampered with"
    assert "row LOG-030: verdict: pass; of its traces follows: fail" in capsys.readouterr().out
    HERE[here](monkeypatch)
    assert main(["verify", str(path)]) == Status.OTHERWISE
    told = capsys.readouterr().out.splitlines()
    assert "judged otherwise in 1 row(s)" in told[0] and " is installed here" in told[0]
    assert "brokercert 9.0.0" in told[0] if here == "version" else "another build of" in told[0]
    assert told[1] == f"row LOG-030: verdict: pass by {tool()}; judged otherwise here: fail."


def another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (check, pack):
        monkeypatch.setattr(module, "tool", lambda: "brokercert 9.0.0")


def another_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same version: its sources differ."""
    monkeypatch.setitem(defects._JUDGES, "tradovate-stage2", "0123456789abcdef")


HERE = {"version": another_version, "build": another_build}


@pytest.mark.parametrize("here", HERE)
def test_another_judge_that_contradicts_the_record_itself_is_no_tampering(
    few: Path, tmp_path: Path, here: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Another wording of the sentence, say, which `report` would refuse too."""
    path = bundled(few, tmp_path / "b.zip", "--draft")
    concluded = believed.concluded

    def otherwise(run: Any, **more: Any) -> Any:
        run = concluded(run, **more)
        return structs.replace(run, sentence=f"{run.sentence}!")

    monkeypatch.setattr(believed, "concluded", otherwise)
    capsys.readouterr()
    assert main(["verify", str(path)]) == Status.WRONG
    assert "wrong: run.json: sentence: " in capsys.readouterr().out
    HERE[here](monkeypatch)
    assert main(["verify", str(path)]) == Status.OTHERWISE
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and "judged otherwise: run.json: sentence: " in told and "is installed here" in told


@pytest.mark.parametrize("here", HERE)
def test_another_judge_that_says_the_same_finds_it_whole(
    few: Path, private: Path, tmp_path: Path, here: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Its pages are made again, and are the same bytes. Else they are its signer's, if that one was asked for."""
    path = bundled(few, tmp_path / "b.zip", "--draft", "--key", str(private))
    HERE[here](monkeypatch)
    assert main(["verify", str(path)]) == Status.DRAFT
    assert "its pages and logs say the same as these" in capsys.readouterr().out
    made = check.pages
    monkeypatch.setattr(check, "pages", lambda *told: {**made(*told), "summary.md": b"in other words"})
    assert main(["verify", str(path), "--key", f"{private}.pub"]) == Status.DRAFT
    assert "its pages were made by another build" in capsys.readouterr().out
    assert main(["verify", str(path)]) == Status.OTHERWISE
    assert "judged the same, but nothing vouches for its pages" in capsys.readouterr().out


def test_another_build_may_write_another_statement_of_the_same_manifest_alone(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    files = forge.unpacked(bundled(few, tmp_path / "b.zip", "--draft"))
    another_build(monkeypatch)
    several: dict[str, tuple[Any, Status]] = {
        "one word more": (lambda d: d["predicate"].update(more="told"), Status.OTHERWISE),
        "another manifest": (lambda d: d["subject"][0]["digest"].update(sha256="0" * 64), Status.WRONG),
        "another kind": (lambda d: d.update(predicateType="https://example.com"), Status.WRONG),
    }
    for name, (change, expected) in several.items():
        (tmp_path / "c.zip").write_bytes(forge.zipped(forge.with_document(files, STATEMENT, change)))
        assert main(["verify", str(tmp_path / "c.zip")]) == expected, (name, capsys.readouterr().out)


def test_a_build_is_known_by_its_sources(tmp_path: Path) -> None:
    """Not by its version, which many commits share."""
    suite = load_suite("tradovate-stage2")
    files = defects.sources_of(suite)
    assert defects.judge_of(suite) == defects.digest_of(files) == defects.matrix_hash(suite)
    other = tmp_path / "rows.py"
    other.write_bytes(files["brokercert/judge/rows.py"].read_bytes() + b"\n")
    assert defects.digest_of({**files, "brokercert/judge/rows.py": other}) != defects.judge_of(suite)


@pytest.mark.parametrize("place", ["manifest", "set", "maker", "judge"])
def test_no_page_is_believed_because_another_version_is_named(
    few: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """A forged page, in a bundle that says that its pages cannot be made again here."""
    files = forge.unpacked(bundled(few, tmp_path / "b.zip", "--draft"))
    files["report.html"] = b"<h1>Certified</h1>"
    if place == "judge":
        files = forge.unpacked(bundled(few, tmp_path / "b.zip", "--draft"))
        run = structs.replace(decode_run(files["run.json"]), judge="0" * 16)
        files |= {"run.json": record_bytes(run), "report.html": b"<h1>Certified</h1>"}
    elif place == "maker":
        monkeypatch.setattr(forge, "maker_of", lambda set_id: "0" * 16)
    elif place == "manifest":
        monkeypatch.setattr(forge, "tool", lambda: "brokercert 9.0.0")
    else:
        installed = check.load_set("tradovate-stage2")
        monkeypatch.setattr(check, "load_set", lambda set_id: structs.replace(installed, hash="0" * 64))
    (tmp_path / "c.zip").write_bytes(forge.zipped(forge.listed_anew(files)))
    assert main(["verify", str(tmp_path / "c.zip")]) == Status.OTHERWISE
    assert "nothing vouches for its pages" in capsys.readouterr().out


def test_what_follows_from_traces_is_compared_field_by_field() -> None:
    """What is left out of it is named, each with its reason in docs/parcel.md: nobody adds to it unseen."""
    assert compared.UNSEEN == {
        *(
            "run_id",
            "started",
            "tool",
            "judge",
            "timing",
            "environment",
            "calibration",
            "toxiproxy",
            "reproduce",
            "notes",
        ),
        *("seal", "chain"),  # of run.json itself: they are made again from the file
    }
    assert compared.OF_A_SCENARIO == {"lag_ms", "note", "output"} and compared.OF_A_ROW == {"reproduce"}


def test_memory_is_bounded_whatever_the_traces_hold(few: Path, tmp_path: Path) -> None:
    """A trace of 50 MB is packed with a few MB: it is streamed."""
    run = Path(shutil.copytree(few, tmp_path / "run"))
    record = decode_run((run / "run.json").read_bytes())
    trace = run / "traces" / "quiet.jsonl"
    with trace.open("ab") as file:
        for _ in range(50):
            file.write(b'{"kind":"step","t":104500000,"text":"filling"}\n' * 21_000)
    digest = hashlib.sha256(trace.read_bytes()).hexdigest()
    scenarios = tuple(
        structs.replace(one, sha256=digest) if one.trace == "traces/quiet.jsonl" else one for one in record.scenarios
    )
    (run / "run.json").write_bytes(record_bytes(structs.replace(record, scenarios=scenarios)))
    pack.pack(run, tmp_path / "first.zip", None, True)  # what is imported and cached once
    tracemalloc.start()
    try:
        pack.pack(run, tmp_path / "b.zip", None, True)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert trace.stat().st_size > 45_000_000
    assert peak < 20_000_000, peak
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        info = archive.getinfo("traces/quiet.jsonl")
    assert info.compress_type == zipfile.ZIP_STORED, "it would grow as a bomb does"


def test_a_key_is_never_written_over_another_file(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "key"
    assert main(["key", "new", str(path)]) == 0
    before = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600 and (tmp_path / "key.pub").read_bytes().startswith(b"-----BEGIN PUBLIC")
    assert main(["key", "new", str(path)]) == 2
    assert path.read_bytes() == before
    path.unlink()
    capsys.readouterr()
    assert main(["key", "new", str(path)]) == 2, "the public key is there still"
    assert "key.pub" in capsys.readouterr().err and not path.exists()


RSA = "an RSA key"


@pytest.mark.parametrize(
    "content", [b"", b"key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", RSA]
)
@pytest.mark.parametrize("command", ["bundle", "verify"])
def test_what_is_no_key_gets_one_sentence(
    few: Path, tmp_path: Path, content: bytes | str, command: str, capsys: Any
) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = tmp_path / "key"
    if isinstance(content, str):
        other = ec.generate_private_key(ec.SECP256R1())
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        content = other.private_bytes(*form)
    key.write_bytes(content)
    path = bundled(few, tmp_path / "b.zip", "--draft") if command == "verify" else few
    capsys.readouterr()
    assert main([command, str(path), "--key", str(key)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "--key" in told and "expected an Ed25519" in told


def test_the_other_half_of_a_key_is_told_apart(few: Path, private: Path, tmp_path: Path, capsys: Any) -> None:
    path = bundled(few, tmp_path / "b.zip", "--draft", "--key", str(private))
    assert main(["bundle", str(few), "--draft", "--key", f"{private}.pub"]) == 2
    assert main(["verify", str(path), "--key", str(private)]) == 2
    assert capsys.readouterr().err.count("expected an Ed25519") == 2


def test_nothing_of_ours_stays_behind(few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    path = bundled(few, tmp_path / "b.zip", "--draft")
    assert main(["verify", str(path)]) == Status.DRAFT
    assert [one.name for one in tmp_path.iterdir()] == ["b.zip"]
