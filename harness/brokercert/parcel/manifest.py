"""manifest.json: every file of a bundle, its size and its SHA-256."""

from __future__ import annotations

import msgspec

from brokercert.parcel.status import BundleError, Status
from brokercert.trace.agrees import read_once
from brokercert.verdict import written

MANIFEST = "manifest.json"
BUNDLE_FORMAT = 1


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    path: str
    size: int  # bytes
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`draft`: nothing is certified by this bundle, and each page says so. `maker`: the build that made its pages
    (`parcel/maker.py`); empty: of before that was told.
    """

    format: int
    tool: str
    run_id: str
    draft: bool
    files: tuple[Listed, ...]
    maker: str = ""

    @property
    def by_path(self) -> dict[str, Listed]:
        return {one.path: one for one in self.files}


def parse_manifest(data: bytes) -> Manifest:
    """Raises `BundleError`."""
    try:
        told = read_once(data)
        if isinstance(told, dict) and isinstance(told.get("format"), int) and told["format"] != BUNDLE_FORMAT:
            raise BundleError(
                f"{MANIFEST}: format {told['format']}; this version reads {BUNDLE_FORMAT}; verify it with "
                f"{told.get('tool')!s:.60}",
                Status.UNREADABLE,
            )
        manifest = msgspec.convert(told, Manifest)
        form = written(told)
    except (
        ValueError,
        RecursionError,
        OverflowError,
    ) as error:  # those of msgspec, and of a byte that is no UTF-8, too
        raise BundleError(f"{MANIFEST}: {error}; expected the list of the bundle's files") from error
    if form != data:
        raise BundleError(f"{MANIFEST}: it is written otherwise than that of a bundle")
    return manifest
