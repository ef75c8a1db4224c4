"""Simulation: random order flow and random faults over minutes to hours of virtual trading; what must always hold."""
