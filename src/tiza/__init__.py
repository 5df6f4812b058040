"""Tiza: teach a language model your course, and let your class chat with it, privately."""

__version__ = "0.1.0"
