"""Runs: one folder holds all that a training run read and made; the stages meet there."""
