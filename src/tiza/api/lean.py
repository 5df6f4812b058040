"""What libraries import for uses that the API does not have: 9 MB that it leaves out.

Only in the process that serves, before anything else is imported.
"""

import sys
from types import ModuleType

# Importing these fails here as where they are not installed, which their importers allow for.
ABSENT = (
    "pydantic.v1",  # FastAPI, for models of a former age
    "pygments",  # Mako, for colours in tracebacks
    "rich",  # structlog, for the same
)
# These are imported for their names alone, by the package that they belong to.
EMPTY = (
    "mako.template",  # with which Alembic writes new revisions
    "mako.exceptions",
    "sqlalchemy.ext.asyncio.scoping",  # the object-relational half; `store` speaks SQL
    "sqlalchemy.ext.asyncio.session",
    "uvicorn.main",  # its command line, with click and a watcher of source files
)


class _Empty(ModuleType):
    """A module that has every public name, and nothing behind it."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def leave_out() -> None:
    """Take the place of those modules."""
    for name in ABSENT:
        sys.modules[name] = None  # type: ignore[assignment]  # as Python documents it
    for name in EMPTY:
        sys.modules[name] = _Empty(name)
