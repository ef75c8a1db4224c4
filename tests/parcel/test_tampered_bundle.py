"""Bundles that were tampered with: each is named wrong, by its place, and none is whole or makes a traceback."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import forge
import pytest
from brokercert.cli import main
from brokercert.parcel.keys import new_key
from brokercert.parcel.pack import pack
from brokercert.parcel.statement import ENVELOPE, SIGNER, STATEMENT
from brokercert.parcel.status import Status
from brokercert.seal import sealed
from brokercert.verdict import written
from forge import Files, listed_anew, told_otherwise, with_document, with_trace, zipped
from msgspec import structs
from runs import WAIVER

TRACE, OTHER = "traces/login-timed.jsonl", "traces/quiet.jsonl"
OFFSET_OF_DIRECTORY = 16  # of the field, in the zip's last record


@dataclass(frozen=True)
class Parcels:
    """What a forger has: a bundle that is signed, the same without a signature, and one of an older run."""

    signed: bytes
    plain: bytes
    files: Files
    signed_files: Files
    older: Files
    failed: Files
    waived: Files
    key: Path  # the forger's own

    @property
    def directory(self) -> int:
        """Where the zip's directory begins."""
        return int(struct.unpack_from("<L", self.plain, len(self.plain) - 22 + OFFSET_OF_DIRECTORY)[0])


@pytest.fixture(scope="module")
def parcels(
    few: Path, older: Path, failed: Path, waived: Path, private: Path, tmp_path_factory: pytest.TempPathFactory
) -> Parcels:
    from brokercert.parcel.keys import private_key

    folder = tmp_path_factory.mktemp("parcels")
    pack(few, folder / "signed.zip", private_key(private), True)
    pack(few, folder / "plain.zip", None, True)
    for name, run in (("older", older), ("failed", failed), ("waived", waived)):
        pack(run, folder / f"{name}.zip", None, True)
    new_key(folder / "forger")
    return Parcels(
        (folder / "signed.zip").read_bytes(),
        (folder / "plain.zip").read_bytes(),
        forge.unpacked(folder / "plain.zip"),
        forge.unpacked(folder / "signed.zip"),
        *(forge.unpacked(folder / f"{name}.zip") for name in ("older", "failed", "waived")),
        folder / "forger",
    )


Tampering = Callable[[Parcels], bytes]


def changed_at(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


# ------------------------------------------------------------------ the zip's own structure


def central(parcels: Parcels, field: int, new: bytes, name: str = "run.json") -> bytes:
    """A field of an entry in the directory changed, so many bytes after its beginning."""
    raw = parcels.plain
    place = raw.index(name.encode(), parcels.directory) - 46
    return changed_at(raw, place + field, new)


def both(parcels: Parcels, in_local: int, in_central: int, new: bytes, name: str = "run.json") -> bytes:
    """A field changed in both headers of an entry."""
    raw = central(parcels, in_central, new, name)
    return changed_at(raw, raw.index(name.encode()) - 30 + in_local, new)


def renamed(parcels: Parcels, new: str, name: str = "summary.md") -> bytes:
    """An entry renamed in both of its headers, to a name of the same length."""
    assert len(new) == len(name)
    return parcels.plain.replace(name.encode(), new.encode())


def with_name(parcels: Parcels, old: str, new: str) -> bytes:
    """One entry renamed, to a name of any length, in both headers, with all offsets right again."""
    target = raw_zip([(new if name == old else name, content) for name, content in parcels.files.items()])
    return target


def raw_zip(entries: list[tuple[str, bytes]], *, external: int = 0o100644 << 16, stored: int = 8) -> bytes:
    """A zip of the right shape, whatever the names are."""
    body, directory = b"", b""
    for name, content in entries:
        raw = name.encode()
        press = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = press.compress(content) + press.flush() if stored else content
        common = struct.pack("<5H3L", 20, 0, stored, 0, 33, zlib.crc32(content), len(packed), len(content))
        offset = len(body)
        body += b"PK\3\4" + common + struct.pack("<2H", len(raw), 0) + raw + packed
        directory += (
            b"PK\1\2"
            + struct.pack("<BB", 20, 3)
            + common
            + struct.pack("<5H2L", len(raw), 0, 0, 0, 0, external, offset)
            + raw
        )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    return body + directory + end


def bomb(parcels: Parcels) -> bytes:
    return raw_zip([*parcels.files.items(), ("zeros.txt", bytes(4_000_000))])


def lying_bomb(parcels: Parcels) -> bytes:
    """It says that it is small, and grows."""
    raw = raw_zip([("zeros.txt", bytes(4_000_000)), *parcels.files.items()])
    first = changed_at(raw, 22, struct.pack("<L", 1000))
    return changed_at(first, first.rindex(b"zeros.txt") - 46 + 24, struct.pack("<L", 1000))


def without_crc(parcels: Parcels) -> bytes:
    return both(parcels, 14, 16, b"\0\0\0\0")


def overlapping(parcels: Parcels) -> bytes:
    """Two entries whose data are the same bytes."""
    raw = parcels.plain
    places = [raw.index(name.encode(), parcels.directory) - 46 for name in ("report.html", "run.json")]
    return changed_at(raw, places[1] + 42, raw[places[0] + 42 : places[0] + 46])


def gap(parcels: Parcels) -> bytes:
    """Bytes between the entries and the directory."""
    raw, place = parcels.plain, parcels.directory
    moved = raw[:place] + b"hidden" + raw[place:]
    return changed_at(moved, len(moved) - 22 + OFFSET_OF_DIRECTORY, struct.pack("<L", place + 6))


STRUCTURE: dict[str, tuple[Tampering, str]] = {
    "cut by a byte": (lambda p: p.plain[:-1], "zip: it is cut short"),
    "cut in half": (lambda p: p.plain[: len(p.plain) // 2], "zip: it is cut short"),
    "cut to its mark": (lambda p: p.plain[:4], "zip: it is cut short"),
    "trailing data": (lambda p: p.plain + b"more", "zip: it is cut short, or something follows its end"),
    "a comment": (
        lambda p: changed_at(p.plain, len(p.plain) - 2, b"\4\0") + b"more",
        "zip: it is cut short, or something follows its end",
    ),
    "two zips in one": (lambda p: p.plain + p.plain, "zip: there is something before its first entry"),
    "an empty zip": (lambda p: raw_zip([]), "manifest.json: it is missing"),
    "data before the first entry": (lambda p: b"PK\3\4" + p.plain, "zip: there is something before its first entry"),
    "a gap before the directory": (gap, "zip: there is something between"),
    "overlapping entries": (overlapping, "'run.json': it overlaps another entry"),
    "one part of several": (
        lambda p: changed_at(p.plain, len(p.plain) - 18, b"\1\0"),
        "zip: it is one part of several",
    ),
    "more entries than it has": (
        lambda p: changed_at(p.plain, len(p.plain) - 14, b"\xff\1\xff\1"),
        "zip: its directory ends within entry",
    ),
    "fewer entries than it has": (
        lambda p: changed_at(p.plain, len(p.plain) - 14, b"\2\0\2\0"),
        "zip: there is something",
    ),
    "encrypted": (lambda p: both(p, 6, 8, b"\1\0"), "'run.json': it is encrypted"),
    "a link": (lambda p: central(p, 38, struct.pack("<L", 0o120777 << 16)), "'run.json': it is a link"),
    "a folder": (lambda p: central(p, 38, struct.pack("<L", 0o040755 << 16)), "'run.json': it is a folder"),
    "a folder by its name": (lambda p: renamed(p, "summary.m/"), "'summary.m/': it is a folder"),
    "a program": (lambda p: central(p, 38, struct.pack("<L", 0o100755 << 16)), "'run.json': it has other attributes"),
    "an absolute path": (lambda p: renamed(p, "/etc/passw"), "'/etc/passw': its path is absolute"),
    "an absolute path of Windows": (lambda p: renamed(p, "C:/windows"), "'C:/windows': its path is absolute"),
    "a path with a backslash": (lambda p: renamed(p, "a\\..\\bcdef"), "leads out of the bundle"),
    "a path that leads out": (lambda p: renamed(p, "../../evil"), "'../../evil': its path leads out of the bundle"),
    "a path that leads out from within": (
        lambda p: with_name(p, "summary.md", "logs/../../evil"),
        "'logs/../../evil': its path leads out of the bundle",
    ),
    "a name that is empty in between": (lambda p: renamed(p, "summary//d"), "'summary//d': no file of a bundle"),
    "a hidden name": (lambda p: renamed(p, ".ummary.md"), "'.ummary.md': no file of a bundle"),
    "a name with a line feed": (lambda p: renamed(p, "summary\nmd"), "no file of a bundle has such a name"),
    "a name in other letters": (lambda p: with_name(p, "summary.md", "summ\u0430ry.md"), "no file of a bundle"),
    "a file twice": (
        lambda p: raw_zip([*p.files.items(), ("run.json", p.files["run.json"])]),
        "run.json: it stands there twice",
    ),
    "a file twice, first another": (
        lambda p: raw_zip([("run.json", b"{}"), *p.files.items()]),
        "run.json: it stands there twice",
    ),
    "a name that differs by case": (
        lambda p: raw_zip([*p.files.items(), ("RUN.json", b"{}")]),
        "RUN.json: its name differs from run.json by case only",
    ),
    "a file that is a folder too": (
        lambda p: raw_zip([*p.files.items(), ("run.json/evil", b"")]),
        "run.json/evil: run.json is a file, and no folder",
    ),
    "two headers that differ in name": (
        lambda p: changed_at(p.plain, p.plain.index(b"summary.md"), b"summary.mb"),
        "summary.md: its two headers in the zip differ",
    ),
    "two headers that differ in size": (lambda p: central(p, 24, b"\1\0\0\0"), "run.json: its two headers"),
    "an extra field": (lambda p: central(p, 30, b"\4\0"), "'run.json': the zip says more of it"),
    "another method": (lambda p: both(p, 8, 10, b"\x0c\0"), "'run.json': compression method 12"),
    "a date": (lambda p: both(p, 10, 12, b"\1\2\3\4"), "'run.json': it has a date"),
    "another CRC": (without_crc, "run.json: its content is not what the zip says of it"),
    "a bomb": (bomb, "zeros.txt: 3"),
    "a bomb that says it is small": (lying_bomb, "zeros.txt: "),
    "a bomb by its size alone": (lambda p: both(p, 22, 24, b"\xff\xff\xff\xff"), "run.json: "),
    "broken compressed data": (
        lambda p: changed_at(p.plain, p.plain.index(b"run.json") + 8, b"\xff\xff\xff"),
        "run.json: ",
    ),
}

# ------------------------------------------------------------------ files, manifest, statement


def without(files: Files, name: str) -> Files:
    return {one: content for one, content in files.items() if one != name}


def put(files: Files, name: str, content: bytes) -> Files:
    return {**files, name: content}


def flipped(content: bytes) -> bytes:
    place = len(content) // 2
    return changed_at(content, place, bytes([content[place] ^ 1]))


def swapped(files: Files, one: str, other: str) -> Files:
    return {**files, one: files[other], other: files[one]}


def first_listed(document: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = document["files"][0]
    return entry


FILES: dict[str, tuple[Callable[[Parcels], Files], str]] = {
    **{
        f"a bit of {name}": (
            lambda p, name=name: put(p.files, name, flipped(p.files[name])),
            f"{name}: it is not the file",
        )  # type: ignore[misc]
        for name in ("run.json", "report.html", "plan.csv", "plan.xlsx", "summary.md", "logs/LOG-030.txt", TRACE)
    },
    "a file more": (lambda p: put(p.files, "evil.html", b"x"), "evil.html: manifest.json does not name it"),
    "a file less": (lambda p: without(p.files, "plan.csv"), "plan.csv: it is missing"),
    "no manifest": (lambda p: without(p.files, "manifest.json"), "manifest.json: it is missing"),
    "no statement": (lambda p: without(p.files, STATEMENT), f"{STATEMENT}: it is missing"),
    "an empty manifest": (lambda p: put(p.files, "manifest.json", b""), "manifest.json: "),
    "a manifest that is none": (lambda p: put(p.files, "manifest.json", b"[" * 5000), "manifest.json: "),
    "a manifest with one more field": (
        lambda p: with_document(p.files, "manifest.json", lambda d: d.update(more=1)),
        "manifest.json: ",
    ),
    "a manifest in other spaces": (
        lambda p: put(p.files, "manifest.json", p.files["manifest.json"] + b"\n"),
        "manifest.json: it is written otherwise",
    ),
    "a manifest of another run": (
        lambda p: with_document(p.files, "manifest.json", lambda d: d.update(run_id="other")),
        "manifest.json: run_id: other",
    ),
    "a size in the manifest": (
        lambda p: with_document(p.files, "manifest.json", lambda d: first_listed(d).update(size=1)),
        "manifest.json names (size or SHA-256)",
    ),
    "a file twice in the manifest": (
        lambda p: with_document(p.files, "manifest.json", lambda d: d["files"].append(first_listed(d))),
        "manifest.json: files: they stand twice",
    ),
    "a draft that says it is none": (
        lambda p: with_document(p.files, "manifest.json", lambda d: d.update(draft=False)),
        "only a draft may be of a run that is not certified",
    ),
    "another order": (lambda p: dict(reversed(p.files.items())), "zip: its entries stand in another order"),
    "two traces swapped": (lambda p: swapped(p.files, TRACE, OTHER), "it is not the file that manifest.json names"),
    "a trace of an older run": (lambda p: put(p.files, TRACE, p.older[TRACE]), f"{TRACE}: it is not the file"),
    "the statement says PASSED": (
        lambda p: with_document(p.files, STATEMENT, lambda d: d["predicate"].update(result="PASSED")),
        f"{STATEMENT}: it does not follow",
    ),
    "the statement is of another manifest": (
        lambda p: with_document(p.files, STATEMENT, lambda d: d["subject"][0]["digest"].update(sha256="0" * 64)),
        f"{STATEMENT}: it does not follow",
    ),
    "the statement of an older run": (
        lambda p: put(p.files, STATEMENT, p.older[STATEMENT]),
        f"{STATEMENT}: it does not follow",
    ),
    "a test taken out of the statement": (
        lambda p: with_document(p.files, STATEMENT, lambda d: d["predicate"].update(passedTests=[])),
        f"{STATEMENT}: it does not follow",
    ),
    "a statement of another kind": (
        lambda p: with_document(p.files, STATEMENT, lambda d: d.update(predicateType="https://example.com")),
        f"{STATEMENT}: it does not follow",
    ),
}

# ------------------------------------------------------------------ made to agree with itself, without a signature


def row(document: dict[str, Any], name: str = "LOG-030") -> dict[str, Any]:
    return next(one for one in document["rows"] if one["id"] == name)


def figure(document: dict[str, Any]) -> dict[str, Any]:
    return next(m for one in document["rows"] for f in one["findings"] for m in f["measured"])


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Parcels], Files]:
    return lambda p: told_otherwise(p.files, change)


def header_edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Parcels], Files]:
    """Of one trace."""

    def tampered(p: Parcels) -> Files:
        first, newline, rest = p.files[TRACE].partition(b"\n")
        header = json.loads(first)
        change(header)
        return with_trace(p.files, TRACE, json.dumps(header).encode() + newline + rest)

    return tampered


def without_record(p: Parcels) -> Files:
    lines = p.files[TRACE].splitlines(keepends=True)
    return with_trace(p.files, TRACE, b"".join((*lines[:10], *lines[11:])))


def another_client(document: dict[str, Any]) -> None:
    document["sentence"] = document["sentence"].replace(document["subject"]["name"], "ours")
    document["subject"]["name"] = "ours"


def trace_dropped(p: Parcels) -> Files:
    """Out of run.json too."""

    def forgotten(document: dict[str, Any]) -> None:
        document["scenarios"] = [one for one in document["scenarios"] if one["trace"] != OTHER]

    return told_otherwise(without(p.files, OTHER), forgotten)


def trace_doubled(p: Parcels) -> Files:
    def told_twice(document: dict[str, Any]) -> None:
        one = next(one for one in document["scenarios"] if one["trace"] == TRACE)
        document["scenarios"].append({**one, "play": 2, "trace": "traces/login-timed.play2.jsonl"})

    return told_otherwise(put(p.files, "traces/login-timed.play2.jsonl", p.files[TRACE]), told_twice)


def bearing(on: str, **more: str) -> Callable[[Parcels], Files]:
    """A run that failed, with a waiver that nobody gave: outcome and sentence follow from it."""
    waiver = {"row": "LOG-030", "reason": "due in March", "who": "Ana Lima", "expiry": "2026-01-31", **more}

    def told(document: dict[str, Any]) -> None:
        document.update(waivers=[waiver], waived_on=on or document["started"][:10])

    return lambda p: told_otherwise(p.failed, told, conclude=True)


def played_nowhere(**more: str) -> Callable[[Parcels], Files]:
    """One more scenario in run.json, of which the bundle has no trace."""

    def told(document: dict[str, Any]) -> None:
        document["scenarios"].append(
            {**document["scenarios"][0], "name": "loss-rst", "trace": "", "sha256": "", **more}
        )

    return edited(told)


def with_record(change: Callable[[bytes], bytes]) -> Callable[[Parcels], Files]:
    """With other bytes of run.json, which have their seal and say the same to a reader that is lenient."""

    def tampered(p: Parcels) -> Files:
        files = put(p.files, "run.json", sealed(change(p.files["run.json"])))
        return listed_anew(files)

    return tampered


def twice(data: bytes) -> bytes:
    """A key twice: whoever takes the first of them reads that the run is certified."""
    return data.replace(b'\n "outcome": ', b'\n "outcome": "certified",\n "outcome": ', 1)


def twice_within(data: bytes) -> bytes:
    return data.replace(b'"verdict": "pass",', b'"verdict": "fail",\n   "verdict": "pass",', 1)


def fields_swapped(data: bytes) -> bytes:
    document = json.loads(data)
    document["set_id"] = document.pop("set_id")
    seal = document.pop("seal")
    return written({**document, "seal": seal})


def field_left_out(data: bytes) -> bytes:
    document = json.loads(data)
    assert not document.pop("challenge")
    return written(document)


def in_runs(p: Parcels) -> Files:
    """A cell of the workbook in runs: a reader that takes the first of them reads another word."""
    with zipfile.ZipFile(io.BytesIO(p.files["plan.xlsx"])) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    strings = parts["xl/sharedStrings.xml"]
    assert b"<si><t>Untested</t></si>" in strings
    runs = b"<si><r><t>Pass</t></r><r><t> Untested</t></r></si>"
    parts["xl/sharedStrings.xml"] = strings.replace(b"<si><t>Untested</t></si>", runs)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as book:
        for name, content in parts.items():
            book.writestr(name, content)
    return listed_anew(put(p.files, "plan.xlsx", target.getvalue()))


def traces_renamed(p: Parcels) -> Files:
    """Two traces swapped, and their SHA-256 with them."""

    def known(document: dict[str, Any]) -> None:
        by_trace = {one["trace"]: one for one in document["scenarios"]}
        by_trace[TRACE]["sha256"], by_trace[OTHER]["sha256"] = by_trace[OTHER]["sha256"], by_trace[TRACE]["sha256"]

    return told_otherwise(swapped(p.files, TRACE, OTHER), known)


def later(content: bytes) -> bytes:
    """The trace of a client that took a second longer to authorize."""
    lines = content.splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if b'"text":"authorize' in line)
    told = []
    for number, line in enumerate(lines):
        record = json.loads(line)
        if number >= place:
            record["t"] += 1_000_000
            told.append(json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
        else:
            told.append(line)
    return b"".join(told)


AGREEING: dict[str, tuple[Callable[[Parcels], Files], str]] = {
    "a row that passes": (edited(lambda d: row(d, "LOG-010").update(verdict="pass")), "LOG-010: verdict"),
    "a row that fails": (edited(lambda d: row(d).update(verdict="fail")), "LOG-030: verdict"),
    "a row less": (edited(lambda d: d["rows"].pop()), "run.json: rows: row 81 is none"),
    "two rows swapped": (edited(lambda d: d["rows"].reverse()), "run.json: rows: row 1 is"),
    "a row twice": (edited(lambda d: d["rows"].append(d["rows"][0])), "run.json: rows: row 82 is LOG-010"),
    "a row outside the part": (edited(lambda d: row(d).update(in_part=False)), "LOG-030: in_part"),
    "a MUST that is a SHOULD": (edited(lambda d: row(d).update(level="SHOULD")), "LOG-030: level"),
    "a row's words": (edited(lambda d: row(d).update(text="It connects, or not.")), "row LOG-030: text"),
    "an outcome": (edited(lambda d: d.update(outcome="certified")), "outcome"),
    "a sentence": (edited(lambda d: d.update(sentence="certified")), "sentence"),
    "another client": (edited(another_client), "run.json: subject ours, but traces/"),
    "a capability declared absent": (
        edited(lambda d: d["subject"].update(absent=[{"name": "tls", "reason": "none"}])),
        "absent",
    ),
    "a figure": (edited(lambda d: figure(d).update(value=0.123)), "measured 1: value: 0.123"),
    "the error of a figure": (edited(lambda d: figure(d).update(error=1.0)), "measured 1: error: 1.0"),
    "the limit of a figure": (edited(lambda d: figure(d).update(limit=99.0)), "measured 1: limit: 99.0"),
    "what was observed": (
        edited(lambda d: row(d)["findings"][0].update(observed="it came at once")),
        "run.json: LOG-030: reason",
    ),
    "an excerpt": (
        edited(lambda d: row(d)["excerpts"][0]["lines"][0].update(text="nothing")),
        "row LOG-030: excerpts 1: lines 1: text",
    ),
    "a limit": (edited(lambda d: d["limits"][0].update(value=99.0)), "limits"),
    "another seed": (edited(lambda d: d.update(seed=7)), "seed"),
    "a challenge that was never given": (edited(lambda d: d.update(challenge="ours")), "run.json: seed"),
    "another run's name": (edited(lambda d: d.update(run_id="other")), "run id"),
    "another run's name, of another moment": (
        edited(lambda d: d.update(run_id="20260101T000000Z-aaaa")),
        "run.json: started: ",
    ),
    "a run that began earlier": (
        edited(lambda d: d.update(started="2026-01-01T00:00:00Z")),
        "run.json: started: 2026-01-01",
    ),
    "a run that began earlier, and its name": (
        edited(lambda d: d.update(run_id="20260101T000000Z-aaaa", started="2026-01-01T00:00:00Z")),
        "run id",
    ),
    "a waiver held by another day": (
        bearing("2026-01-01"),
        "run.json: waived_on: 2026-01-01; what it is made of says: 2",
    ),
    "a waiver that holds for ever": (bearing("", expiry="9"), "run.json: waiver 1 (LOG-030): expiry = '9'"),
    "a waiver that nobody gave": (bearing("", expiry="2099-12-31", who=""), "run.json: waiver 1: who = ''"),
    "a waiver in other words": (bearing("", expiry="2099-12-31", row="log-030"), "run.json: "),
    "a day of waivers that are not there": (
        edited(lambda d: d.update(waived_on="2026-01-01")),
        "run.json: waived_on: 2026-01-01",
    ),
    "a waiver without a day": (
        lambda p: told_otherwise(
            p.failed, lambda d: d.update(waivers=[structs.asdict(WAIVER)], waived_on=""), conclude=True
        ),
        "run.json: waived_on: none; what it is made of says: 2",
    ),
    "a waived run that says PASSED": (
        lambda p: with_document(p.waived, STATEMENT, lambda d: d["predicate"].update(result="PASSED", warnedTests=[])),
        f"{STATEMENT}: it does not follow",
    ),
    "a scenario that was played without a trace": (played_nowhere(), "scenario loss-rst: state completed; trace: none"),
    "a scenario with a SHA-256 alone": (
        played_nowhere(sha256="0" * 64),
        "scenario loss-rst: state completed; trace: none",
    ),
    "a scenario with a trace alone": (
        played_nowhere(trace="traces/loss-rst.jsonl"),
        "scenario loss-rst: state completed; sha256: none",
    ),
    "a scenario in a state that there is not": (
        played_nowhere(state="fine"),
        "scenario loss-rst: state fine; trace: none",
    ),
    "a scenario that was not asked for": (played_nowhere(state="not chosen"), "scenario loss-rst: told"),
    "a scenario that was played, told as none": (
        edited(lambda d: next(o for o in d["scenarios"] if o["trace"] == OTHER).update(state="not run")),
        "scenario quiet: state not run; trace: traces/quiet.jsonl",
    ),
    "a scenario twice": (
        edited(lambda d: d["scenarios"].append({**d["scenarios"][0], "trace": "traces/steady.jsonl"})),
        "it stands there twice",
    ),
    "a key of run.json twice": (with_record(twice), "run.json: the key 'outcome' stands there twice"),
    "a key of a row twice": (with_record(twice_within), "run.json: the key 'verdict' stands there twice"),
    "a run.json in other spaces": (with_record(lambda data: data + b" "), "run.json: it is written otherwise"),
    "a run.json with escapes": (
        with_record(
            lambda data: data.replace(b'"outcome": "', b'"outcome": "\\u0069', 1).replace(b"0069i", b"0069", 1)
        ),
        "run.json: it is written otherwise",
    ),
    "a run.json with a field elsewhere": (with_record(fields_swapped), "run.json: it is written otherwise"),
    "a run.json with a field less": (with_record(field_left_out), "run.json: it is written otherwise"),
    "a key of the manifest twice": (
        lambda p: put(p.files, "manifest.json", p.files["manifest.json"].replace(b"{", b'{\n "draft": false,', 1)),
        "manifest.json: the key 'draft' stands there twice",
    ),
    "a cell in runs": (in_runs, "plan.xlsx: it is not what run.json"),
    "another set's hash": (edited(lambda d: d.update(set_hash="0" * 64)), "it is not the requirement set"),
    "another tool": (edited(lambda d: d.update(tool="brokercert 9.9.9")), "its tool is not brokercert 9.9.9"),
    "what was asked for": (edited(lambda d: d.update(selected=["LOG-030"])), "run.json: "),
    "a scenario that took less": (
        edited(lambda d: next(o for o in d["scenarios"] if o["trace"]).update(duration=1.0)),
        "duration: 1.0",
    ),
    "another moment": (
        edited(lambda d: next(o for o in d["scenarios"] if o["trace"]).update(began="2026-01-01T00:00:00.000Z")),
        "began: 2026-01-01",
    ),
    "a crash taken back": (
        edited(lambda d: next(o for o in d["scenarios"] if o["trace"]).update(exit="exit 0")),
        "exit: exit 0",
    ),
    "a trace outside": (
        lambda p: told_otherwise(
            p.files,
            lambda d: next(o for o in d["scenarios"] if o["trace"]).update(trace="../run.json"),
            render=False,
        ),
        "trace: '../run.json'",
    ),
    "a page that says more": (
        lambda p: listed_anew(put(p.files, "report.html", p.files["report.html"].replace(b"ncomplete", b"ertified"))),
        "report.html: it is not what run.json and the traces make of it",
    ),
    "a sheet that says more": (
        lambda p: listed_anew(put(p.files, "plan.csv", p.files["plan.csv"].replace(b'"Untested"', b'"Pass"'))),
        "plan.csv: it is not what run.json",
    ),
    "a JUnit file that says more": (
        lambda p: listed_anew(put(p.files, "TEST-tradovate-stage2.xml", b"<testsuites/>")),
        "TEST-tradovate-stage2.xml: it is not what run.json",
    ),
    "a log that says more": (
        lambda p: listed_anew(put(p.files, "logs/LOG-030.txt", b"all well\n")),
        "logs/LOG-030.txt: it is not what run.json",
    ),
    "a page less": (lambda p: listed_anew(without(p.files, "logs/LOG-030.txt")), "logs/LOG-030.txt: it is missing"),
    "a page more": (lambda p: listed_anew(put(p.files, "logs/NEW-010.txt", b"x")), "no bundle has such a file"),
    "no run.json": (lambda p: forge.listed_as_it_is(without(p.files, "run.json")), "run.json is missing"),
    "a run.json that is none": (lambda p: forge.listed_as_it_is(put(p.files, "run.json", b"{}")), "run.json: "),
    "another set": (
        lambda p: listed_anew(put(p.files, "set/limits.toml", p.files["set/limits.toml"].replace(b"5", b"6"))),
        "set",
    ),
    "a comment in the set": (
        lambda p: listed_anew(put(p.files, "set/limits.toml", b"# ours\n" + p.files["set/limits.toml"])),
        "set/limits.toml: it is not what",
    ),
    "another source page": (
        lambda p: listed_anew(put(p.files, "set/source/stage2.toml", b"id = 1")),
        "set/source/stage2.toml: it is not what",
    ),
    "a set that is none": (lambda p: listed_anew(put(p.files, "set/set.toml", b"\xff")), "set: "),
    "a limit in a trace": (header_edited(lambda h: h["limits"].update(connect=99.0)), "limits"),
    "the client in a trace": (header_edited(lambda h: h.update(subject="ours")), "subject"),
    "the seed in a trace": (header_edited(lambda h: h.update(seed=9)), "seed"),
    "the run in a trace": (header_edited(lambda h: h["run"].update(run_id="other")), "run id"),
    "the tool in a trace": (header_edited(lambda h: h.update(tool="brokercert 0.0.1")), "its tool is not"),
    "a capability in a trace": (header_edited(lambda h: h.update(offers=["wire"])), "offers"),
    "a trace of an older run, and its hash": (lambda p: with_trace(p.files, TRACE, p.older[TRACE]), "run id"),
    "a record less, and its hash": (without_record, f"{TRACE}:"),
    "a trace cut, and its hash": (lambda p: with_trace(p.files, TRACE, p.files[TRACE][:-20]), "run.json: "),
    "a slower login, and its hash": (lambda p: with_trace(p.files, TRACE, later(p.files[TRACE])), "row LOG-030"),
    "two traces swapped, and their hashes": (traces_renamed, f"{TRACE}: not the trace that its run wrote"),
    "a trace dropped everywhere": (trace_dropped, "run.json: "),
    "a trace doubled": (trace_doubled, "a second trace of scenario"),
}

# ------------------------------------------------------------------ the signature


def resigned(p: Parcels) -> Files:
    """By the forger's own key: the bundle agrees with itself, and only --key finds it."""
    return forge.signed_by(p.signed_files, p.key)


def envelope(change: Callable[[dict[str, Any]], object]) -> Callable[[Parcels], Files]:
    return lambda p: with_document(p.signed_files, ENVELOPE, change)


SIGNED: dict[str, tuple[Callable[[Parcels], Files], str]] = {
    "another key": (resigned, f"{SIGNER}: it is signed by the key"),
    "no signature": (lambda p: p.files, f"{ENVELOPE}: it is not signed"),
    "an envelope less": (lambda p: without(p.signed_files, ENVELOPE), f"{ENVELOPE}: it is missing"),
    "an envelope that is none": (lambda p: put(p.signed_files, ENVELOPE, b"{"), f"{ENVELOPE}: "),
    "a bit of the signature": (
        envelope(lambda d: d["signatures"][0].update(sig="A" + d["signatures"][0]["sig"][1:-4] + "AA==")),
        f"{ENVELOPE}: sig: it is no signature",
    ),
    "no signatures": (envelope(lambda d: d.update(signatures=[])), f"{ENVELOPE}: signatures: 0"),
    "two signatures": (envelope(lambda d: d["signatures"].append(d["signatures"][0])), f"{ENVELOPE}: signatures: 2"),
    "another key's name": (envelope(lambda d: d["signatures"][0].update(keyid="0" * 64)), f"{ENVELOPE}: keyid"),
    "another payload": (envelope(lambda d: d.update(payload="e30=")), f"{ENVELOPE}: payload"),
    "a payload that is no base64": (envelope(lambda d: d.update(payload="!")), f"{ENVELOPE}: "),
    "another type of payload": (envelope(lambda d: d.update(payloadType="text/plain")), f"{ENVELOPE}: payloadType"),
    "an envelope in other spaces": (
        lambda p: put(p.signed_files, ENVELOPE, p.signed_files[ENVELOPE] + b" "),
        f"{ENVELOPE}: it is written otherwise",
    ),
    "a key that is none": (lambda p: put(p.signed_files, SIGNER, b"key"), f"{SIGNER}: it is not the file"),
    "a file changed, and the manifest": (
        lambda p: {**listed_anew(put(p.signed_files, "summary.md", b"x")), SIGNER: p.signed_files[SIGNER]},
        "signer.pem: manifest.json does not name it",
    ),
}

ALL: dict[str, tuple[Tampering, str]] = {
    **{f"zip: {name}": one for name, one in STRUCTURE.items()},
    **{
        f"{kind}: {name}": (lambda p, make=make: zipped(make(p)), told)  # type: ignore[misc]
        for kind, several in (("files", FILES), ("agreeing", AGREEING), ("signed", SIGNED))
        for name, (make, told) in several.items()
    },
}


@pytest.mark.parametrize("name", ALL)
def test_each_tampering_is_named(
    name: str, parcels: Parcels, private: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, expected = ALL[name]
    path = tmp_path / "b.zip"
    path.write_bytes(make(parcels))
    key = ["--key", f"{private}.pub"] if name.startswith("signed: ") else []
    code = main(["verify", *key, str(path)])
    told = capsys.readouterr()
    assert code == Status.WRONG, told.out
    assert told.err == "" and told.out.count("\n") == 1 and told.out.startswith(f"{path}: wrong: "), told.out
    assert expected in told.out, told.out
    assert "brokercert-verify-" not in told.out, "a folder of ours is no place in the bundle"
    assert len(told.out) < 1200 and told.out.rstrip("\n").isprintable()


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 60


def test_what_they_are_made_of_is_whole(
    parcels: Parcels, private: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else they would be named for something else."""
    path = tmp_path / "b.zip"
    for content in (
        parcels.plain,
        zipped(parcels.files),
        zipped(listed_anew(parcels.files)),
        raw_zip(list(parcels.files.items())),
    ):
        path.write_bytes(content)
        assert main(["verify", str(path)]) == Status.DRAFT, capsys.readouterr().out
    path.write_bytes(zipped(told_otherwise(parcels.files, lambda d: d["notes"].append("nobody can know this"))))
    assert main(["verify", str(path)]) == Status.DRAFT, capsys.readouterr().out
    path.write_bytes(parcels.signed)
    assert main(["verify", "--key", f"{private}.pub", str(path)]) == Status.DRAFT
    path.write_bytes(zipped(resigned(parcels)))
    assert main(["verify", str(path)]) == Status.DRAFT, "of another key nobody knows, unless one is named"
    assert "ask its owner" in capsys.readouterr().out


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_bit_anywhere_is_noticed(place: int, parcels: Parcels, tmp_path: Path, capsys: Any) -> None:
    data = bytearray(parcels.signed)
    data[len(data) * place // 100] ^= 4
    path = tmp_path / "b.zip"
    path.write_bytes(bytes(data))
    assert main(["verify", str(path)]) in (Status.WRONG, Status.UNREADABLE)
    assert "Traceback" not in capsys.readouterr().err
