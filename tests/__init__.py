"""The tests mirror `src/tiza`; each docstring states the rule that its test proves."""
