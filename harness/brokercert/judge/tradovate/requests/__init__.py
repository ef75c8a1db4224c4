"""Checks of the rows REQ-*."""
