"""The kill matrix: every mutant through every scenario in virtual time, and what each had to fail."""
