"""Alembic's scripts: one file a revision under `versions`, run by `tiza.store.migrate`."""
