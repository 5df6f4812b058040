"""Evaluate: a model becomes a report card; exam, retention, restraint. Knows no torch."""
