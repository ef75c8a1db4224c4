"""Requirement sets are data: a folder a set, with `set.toml`, `limits.toml` and a file for the rows of each area.

Ours lie in brokercert/data. Those of another package lie beside its suite (`brokercert.sets`). "Rejected" means
`RequirementError` and nothing else: it names the file, the row, the field, and what was expected. Nothing here does
I/O beyond reading package data.
"""

from brokercert.requirements.load import available_sets, load_set
from brokercert.requirements.model import (
    Area,
    FieldReport,
    Limit,
    Part,
    Reading,
    Requirement,
    RequirementError,
    RequirementSet,
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
    "Part",
    "Reading",
    "Requirement",
    "RequirementError",
    "RequirementSet",
    "available_sets",
    "load_set",
    "parse_files",
    "parse_set",
]
