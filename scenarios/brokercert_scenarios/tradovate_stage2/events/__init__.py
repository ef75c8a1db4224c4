"""Scenarios of the rows EVT-*."""
