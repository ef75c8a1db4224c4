"""Mutants: each dialect's reference client with one defect each, and what each defect must fail."""
