"""A forger's tools: bundles that were tampered with, and made to agree with themselves again as far as one can."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from brokercert.engine.client.environment import tool
from brokercert.parcel.archive import Member, measured, write_archive
from brokercert.parcel.keys import private_key, public_pem
from brokercert.parcel.maker import maker_of
from brokercert.parcel.manifest import BUNDLE_FORMAT, MANIFEST, Listed, Manifest
from brokercert.parcel.pack import RECORD, pages
from brokercert.parcel.statement import ENVELOPE, SIGNER, STATEMENT, envelope_of, statement_of
from brokercert.verdict import concluded, decode_run, written
from brokercert_reports.seal import record_bytes

Files = dict[str, bytes]
NOT_LISTED = (MANIFEST, STATEMENT, ENVELOPE)


def unpacked(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """These files as a zip of the right shape, in the order given."""
    target = io.BytesIO()
    members = [Member(name, content) for name, content in files.items()]
    write_archive(target, [(member, measured(member)) for member in members])
    return target.getvalue()


def listed_anew(files: Files, *, draft: bool = True) -> Files:
    """With a manifest and a statement that fit; without a signature, which nobody else can make."""
    rest = {name: files[name] for name in sorted(files) if name not in (*NOT_LISTED, SIGNER)}
    return _with_documents(rest, draft=draft)


def signed_by(files: Files, key: Path, *, draft: bool = True) -> Files:
    """The same, signed by the forger's own key."""
    secret = private_key(key)
    rest = {name: content for name, content in files.items() if name not in NOT_LISTED}
    rest[SIGNER] = public_pem(secret.public_key())
    made = _with_documents(dict(sorted(rest.items())), draft=draft)
    first = {MANIFEST: made.pop(MANIFEST), STATEMENT: made[STATEMENT]}
    first[ENVELOPE] = envelope_of(made.pop(STATEMENT), secret)
    return {**first, **made}


def _with_documents(rest: Files, *, draft: bool) -> Files:
    run = decode_run(rest[RECORD])
    listed = tuple(
        Listed(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in rest.items()
    )
    manifest = written(
        Manifest(
            format=BUNDLE_FORMAT, tool=tool(), run_id=run.run_id, draft=draft, files=listed, maker=maker_of(run.set_id)
        )
    )
    record = hashlib.sha256(rest[RECORD]).hexdigest()
    statement = statement_of(run, hashlib.sha256(manifest).hexdigest(), record, draft)
    return {MANIFEST: manifest, STATEMENT: statement, **rest}


def told_otherwise(
    files: Files, change: Callable[[dict[str, Any]], object], *, render: bool = True, conclude: bool = False
) -> Files:
    """With another run.json, and all that is made of it: pages, manifest, statement. `conclude`: outcome and sentence
    follow from it too.
    """
    document = json.loads(files[RECORD])
    change(document)
    encoded = json.dumps(document).encode()
    try:
        run = decode_run(encoded)
    except ValueError:
        return listed_as_it_is({**files, RECORD: encoded})
    run = concluded(run) if conclude else run
    changed = {name: content for name, content in files.items() if name not in NOT_LISTED}
    changed[RECORD] = record_bytes(run)  # whoever forges makes the seal anew
    run = decode_run(changed[RECORD])
    if render:
        with tempfile.TemporaryDirectory() as place:
            for name, content in changed.items():
                if name.startswith("traces/"):
                    (Path(place) / name).parent.mkdir(exist_ok=True)
                    (Path(place) / name).write_bytes(content)
            changed |= pages(run, Path(place), True)
    return listed_anew(changed)


def listed_as_it_is(files: Files) -> Files:
    """With a manifest that fits, where run.json cannot be read and no statement can be made of it."""
    rest = {name: files[name] for name in sorted(files) if name not in (*NOT_LISTED, SIGNER)}
    listed = [
        {"path": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in rest.items()
    ]
    manifest = json.loads(files[MANIFEST]) | {"files": listed}
    return {MANIFEST: written(manifest), STATEMENT: files[STATEMENT], **rest}


def with_trace(files: Files, name: str, content: bytes) -> Files:
    """With another trace, whose SHA-256 run.json has too."""

    def known(document: dict[str, Any]) -> None:
        for one in document["scenarios"]:
            if one["trace"] == name:
                one["sha256"] = hashlib.sha256(content).hexdigest()

    return told_otherwise({**files, name: content}, known)


def with_document(files: Files, name: str, change: Callable[[dict[str, Any]], object]) -> Files:
    """With one document changed, and nothing else."""
    document = json.loads(files[name])
    change(document)
    return {**files, name: written(document)}
