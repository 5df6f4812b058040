"""Answers that live on when their readers go: generated, kept, and read from any point."""
