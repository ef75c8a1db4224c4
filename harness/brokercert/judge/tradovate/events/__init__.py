"""Checks of the rows EVT-*."""
