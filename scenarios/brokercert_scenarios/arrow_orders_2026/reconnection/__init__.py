"""Scenarios of the rows AOR-*."""
