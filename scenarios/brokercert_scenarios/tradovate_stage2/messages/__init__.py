"""Scenarios of the rows MSG-*."""
