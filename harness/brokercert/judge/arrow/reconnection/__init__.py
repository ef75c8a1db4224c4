"""Checks of the rows AOR-*."""
