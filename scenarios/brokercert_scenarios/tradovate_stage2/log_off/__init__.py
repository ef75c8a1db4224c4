"""Scenarios of the rows OFF-*."""
