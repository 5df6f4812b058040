"""Accounts, sessions, API keys, invitations, and the audit log."""

import sqlalchemy as sa
from alembic.operations import Operations

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade(op: Operations) -> None:
    """Make the tables."""
    _accounts(op)
    _sessions_and_keys(op)
    _invitations(op)
    _attempts_and_audit(op)
    _tokens(op)


def downgrade(op: Operations) -> None:
    """Drop them: people stay, nobody can sign in."""
    for table in (
        "revoked_tokens",
        "signing_keys",
        "audit",
        "attempts",
        "invitations",
        "keys",
        "sessions",
        "accounts",
    ):
        op.drop_table(table)


def _person(
    name: str = "person_id", *, primary_key: bool = False, nullable: bool = False
) -> sa.Column[object]:
    reference = sa.ForeignKey("people.id", ondelete="CASCADE")
    return sa.Column(name, NUMBER, reference, primary_key=primary_key, nullable=nullable)


def _accounts(op: Operations) -> None:
    op.create_table(
        "accounts",
        _person(primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("issuer", sa.Text),
        sa.Column("subject", sa.Text),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("disabled_at", MOMENT),
    )
    op.create_index("accounts_by_subject", "accounts", ["issuer", "subject"], unique=True)


def _sessions_and_keys(op: Operations) -> None:
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        _person(),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(16), primary_key=True),
        _person(),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("used_at", MOMENT),
    )
    for table in ("sessions", "keys"):
        op.create_index(f"{table}_of_person", table, ["person_id"])


def _invitations(op: Operations) -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        _person(nullable=True),
        _person("invited_by", nullable=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("uses_left", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
    op.create_index("invitations_of_person", "invitations", ["person_id"])
    op.create_index("invitations_by", "invitations", ["invited_by"])


def _attempts_and_audit(op: Operations) -> None:
    op.create_table(
        "attempts",
        sa.Column("subject", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("locked_until", MOMENT),
    )
    op.create_table(
        "audit",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("actor_id", NUMBER),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_by_time", "audit", ["at"])


def _tokens(op: Operations) -> None:
    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("public", sa.Text, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_table(
        "revoked_tokens",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("expires_at", MOMENT, nullable=False),
    )
