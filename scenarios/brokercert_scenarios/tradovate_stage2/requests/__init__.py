"""Scenarios of the rows REQ-*."""
