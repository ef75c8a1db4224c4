"""Arrow order updates. No scenario exercises this set yet: its rows are listed as untested."""
