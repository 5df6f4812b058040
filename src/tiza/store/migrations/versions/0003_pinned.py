"""Conversations that are kept at the top of the list."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0003"
down_revision = "0002"


def upgrade(op: Operations) -> None:
    """Nothing is pinned at first."""
    pinned = sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("conversations", pinned)


def downgrade(op: Operations) -> None:
    """Forget what was pinned."""
    op.drop_column("conversations", "pinned")
