"""Faults with real processes; `benchmarks/reliability.py` runs the same many times."""
