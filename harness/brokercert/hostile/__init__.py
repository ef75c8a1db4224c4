"""Hostile frames: a valid frame with one named defect, at four levels. Scenarios and fuzzer use the same ones."""

from brokercert.hostile.message import each_type
from brokercert.hostile.model import DEFECTS, LEVELS, Defect, Hostile, Level, defects_of, each_once, generate, make

__all__ = [
    "DEFECTS",
    "LEVELS",
    "Defect",
    "Hostile",
    "Level",
    "defects_of",
    "each_once",
    "each_type",
    "generate",
    "make",
]
