"""What is signed: an in-toto statement of the test result, in a DSSE envelope.

Formats: in-toto Statement v1, predicate test-result v0.1, DSSE v1. The statement is about the manifest, which names
every file of the bundle by its SHA-256: so the signature covers them all.

The law: a statement follows from the run and the manifest alone. Whoever reads it can make it again, and compare.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

import msgspec
from brokercert_reports.view import waived
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from brokercert.parcel.keys import is_signed, key_id
from brokercert.parcel.status import BundleError
from brokercert.trace.agrees import read_once
from brokercert.verdict import Outcome, RunRecord, Verdict, fails, written

STATEMENT, ENVELOPE, SIGNER = "statement.json", "statement.dsse.json", "signer.pem"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def statement_of(run: RunRecord, manifest: str, record: str, draft: bool) -> bytes:
    """`manifest` and `record` are the SHA-256 of manifest.json and run.json.

    in-toto has three words for a result. What is not certified is FAILED there; `outcome` says what it is. A row whose
    failure is waived is among the warned ones: PASSED is never said beside it, and `waived` names it.
    """
    asked = [row for row in run.rows if row.in_part]
    borne = waived(run)
    failed = [row.id for row in asked if fails(row, strict=run.strict) and row.id not in borne]
    warned = [row.id for row in asked if (row.verdict is Verdict.WARNING or row.id in borne) and row.id not in failed]
    passed = [row.id for row in asked if row.verdict is Verdict.PASS and row.id not in (*failed, *warned)]
    certified = run.outcome is Outcome.CERTIFIED and not draft
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "manifest.json", "digest": {"sha256": manifest}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": ("WARNED" if warned else "PASSED") if certified else "FAILED",
            "configuration": [
                {"name": "run.json", "digest": {"sha256": record}, "annotations": _annotations(run, draft)},
                {"name": f"{run.set_id} {run.set_version}", "digest": {"sha256": run.set_hash}},
                *({"name": name, "digest": {"sha256": one}} for name, one in run.subject.build.files.items()),
            ],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
        },
    }
    return written(statement)


def is_about(statement: bytes, manifest: str) -> bool:
    """Whether it is a statement about the manifest of this SHA-256, whatever build wrote it."""
    try:
        told = read_once(statement)
    except (ValueError, RecursionError):
        return False
    subject = [{"name": "manifest.json", "digest": {"sha256": manifest}}]
    return isinstance(told, dict) and told.get("predicateType") == PREDICATE_TYPE and told.get("subject") == subject


def _annotations(run: RunRecord, draft: bool) -> dict[str, Any]:
    return {
        "challenge": run.challenge,
        "client": run.subject.name,
        "commit": run.subject.build.commit,
        "version": run.subject.build.version,
        "draft": draft,
        "outcome": run.outcome.value,
        "part": run.part,
        "run": run.run_id,
        "seed": run.seed,
        "sentence": run.sentence,
        "started": run.started,
        "tool": run.tool,
        "waived": list(waived(run)),
    }


def _pre_authentication(payload: bytes) -> bytes:
    """The bytes that DSSE signs: type and payload, each after its length."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


class _Signature(msgspec.Struct, forbid_unknown_fields=True):
    keyid: str
    sig: str


class _Envelope(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    payload: str
    payload_type: str
    signatures: tuple[_Signature, ...]


def envelope_of(statement: bytes, key: Ed25519PrivateKey) -> bytes:
    """The statement, signed. Ed25519 makes the same signature each time."""
    signature = base64.b64encode(key.sign(_pre_authentication(statement))).decode()
    payload = base64.b64encode(statement).decode()
    return written(_Envelope(payload, PAYLOAD_TYPE, (_Signature(key_id(key.public_key()), signature),)))


def refuse_wrong_signature(envelope: bytes, statement: bytes, key: Ed25519PublicKey) -> None:
    """Raises `BundleError` where the envelope is not that statement, signed by that key, in just one form."""
    try:
        told = msgspec.json.decode(envelope, type=_Envelope)
        payload = base64.b64decode(told.payload, validate=True)
        signatures = [(one.keyid, base64.b64decode(one.sig, validate=True)) for one in told.signatures]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError) as error:
        raise BundleError(f"{ENVELOPE}: {error}; expected a DSSE envelope") from error
    if told.payload_type != PAYLOAD_TYPE:
        raise BundleError(f"{ENVELOPE}: payloadType: {told.payload_type!r}; expected {PAYLOAD_TYPE!r}")
    if payload != statement:
        raise BundleError(f"{ENVELOPE}: payload: it is not {STATEMENT}, which stands beside it")
    if len(signatures) != 1:
        raise BundleError(f"{ENVELOPE}: signatures: {len(signatures)}; expected one")
    ((name, signature),) = signatures
    if name != key_id(key):
        raise BundleError(f"{ENVELOPE}: keyid: it is not that of {SIGNER}, which stands beside it")
    if not is_signed(key, signature, _pre_authentication(payload)):
        raise BundleError(f"{ENVELOPE}: sig: it is no signature of this statement by the key {name}")
    if written(told) != envelope:
        raise BundleError(f"{ENVELOPE}: it is written otherwise than an envelope of a bundle")
