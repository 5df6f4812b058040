"""Conversations that are kept at the top of the list."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Nothing is pinned at first."""
    pinned = sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false())
    op.add_column("conversations", pinned)


def downgrade() -> None:
    """Forget what was pinned."""
    op.drop_column("conversations", "pinned")
