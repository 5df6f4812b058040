"""The whole program as a person meets it: real processes, a real model, a real browser."""
