"""Scenarios of the rows LOG-*."""
