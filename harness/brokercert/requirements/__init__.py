"""Requirement sets are data: a folder a set, with `set.toml`, `limits.toml` and a file for the rows of each area.

Ours lie in brokercert/data. Those of another package lie beside its suite (`brokercert.sets`). "Rejected" means
`RequirementError` and nothing else: it names the file, the row, the field, and what was expected. Nothing here does
I/O beyond reading package data.
"""

from brokercert.requirements.editions import newest_told, set_named
from brokercert.requirements.load import available_sets, load_set
from brokercert.requirements.model import (
    Area,
    FieldReport,
    Limit,
    OtherEdition,
    Part,
    Reading,
    Requirement,
    RequirementError,
    RequirementSet,
    Sign,
)
from brokercert.requirements.parse import LIMITS_FILE, NONE, ORIGINS, SET_FILE, parse_files, parse_set

__all__ = [
    "LIMITS_FILE",
    "NONE",
    "ORIGINS",
    "SET_FILE",
    "Area",
    "FieldReport",
    "Limit",
    "OtherEdition",
    "Part",
    "Reading",
    "Requirement",
    "RequirementError",
    "RequirementSet",
    "Sign",
    "available_sets",
    "load_set",
    "newest_told",
    "parse_files",
    "parse_set",
    "set_named",
]
