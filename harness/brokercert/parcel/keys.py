"""Ed25519 keys of a user, and signatures by them: all of it by the library `cryptography`.

The law: a private key is written once, for its user alone, and never over another file.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from brokercert.engine.ask.given import read_given, write_given
from brokercert.engine.errors import UsageError
from brokercert.parcel.status import BundleError

PUBLIC = ".pub"  # what the public key's file is called, after the private one's
EXPECTED_PRIVATE = "an Ed25519 private key in PEM without a password, as `brokercert key new FILE` makes"
EXPECTED_PUBLIC = "an Ed25519 public key in PEM, as `brokercert key new FILE` writes it beside the private one"


def new_key(path: Path) -> tuple[Path, str]:
    """Make a key pair: the private key in `path`, the public one beside it. The public key's file, and its name.

    Raises `UsageError`, also where one of the files is there.
    """
    key = Ed25519PrivateKey.generate()
    beside = path.with_name(path.name + PUBLIC)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_given(path, pem, "key new", private=True, new=True)
    try:
        write_given(beside, public_pem(key.public_key()), "key new", new=True)
    except UsageError:
        path.unlink()
        raise
    return beside, key_id(key.public_key())


def private_key(path: Path) -> Ed25519PrivateKey:
    """Raises `UsageError`."""
    try:
        key = serialization.load_pem_private_key(read_given(path, EXPECTED_PRIVATE), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"--key {path}: expected {EXPECTED_PRIVATE}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"--key {path}: a key of another kind; expected {EXPECTED_PRIVATE}")
    return key


def given_public_key(path: Path) -> Ed25519PublicKey:
    """Raises `UsageError`."""
    key = _public_key(read_given(path, EXPECTED_PUBLIC))
    if key is None:
        raise UsageError(f"--key {path}: expected {EXPECTED_PUBLIC}")
    return key


def bundled_public_key(pem: bytes, name: str) -> Ed25519PublicKey:
    """Raises `BundleError`."""
    key = _public_key(pem)
    if key is None or public_pem(key) != pem:
        raise BundleError(f"{name}: expected {EXPECTED_PUBLIC}")
    return key


def _public_key(pem: bytes) -> Ed25519PublicKey | None:
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def public_pem(key: Ed25519PublicKey) -> bytes:
    """The one form in which a public key is written."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: Ed25519PublicKey) -> str:
    """By what people compare keys: the SHA-256 of its 32 bytes, in hexadecimal."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()


def is_signed(key: Ed25519PublicKey, signature: bytes, content: bytes) -> bool:
    """Whether the signature is that key's, of that content."""
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True
