"""Scenarios of the rows AOC-*."""
