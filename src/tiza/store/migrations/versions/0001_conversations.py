"""The first tables: people, conversations, messages, feedback, and what search looks through."""

import sqlalchemy as sa
from alembic.operations import Operations
from sqlalchemy.dialects.postgresql import TSVECTOR

revision = "0001"
down_revision = None

ID = sa.String(32).with_variant(sa.String(32, "C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
WORDS = sa.Text().with_variant(TSVECTOR, "postgresql")

# FTS5 without a copy of the words, kept in step by triggers. `traces`: see `tiza.store.upkeep`.
FTS = """
CREATE VIRTUAL TABLE passage_words USING fts5(
    words, content='passages', content_rowid='id', detail=none, columnsize=0, tokenize='ascii'
);
CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
    INSERT INTO passage_words(rowid, words) VALUES (new.id, new.words);
END;
CREATE TRIGGER passages_deleted AFTER DELETE ON passages BEGIN
    INSERT INTO passage_words(passage_words, rowid, words) VALUES ('delete', old.id, old.words);
    UPDATE traces SET deleted = deleted + 1;
END;
CREATE TABLE traces AS SELECT 0 AS deleted
"""


def upgrade(op: Operations) -> None:
    """Make the tables and the index of their words."""
    _people(op)
    _conversations(op)
    _messages(op)
    _feedback_and_requests(op)
    _passages(op)
    _processes(op)


def downgrade(op: Operations) -> None:
    """Drop everything."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE passage_words")
        op.execute("DROP TABLE traces")
    for table in (
        "processes",
        "passages",
        "requests",
        "feedback",
        "messages",
        "conversations",
        "people",
    ):
        op.drop_table(table)


def _belongs_to(table: str, column: str, *, primary_key: bool = False) -> sa.Column[object]:
    reference = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    kind = NUMBER if table == "people" else ID
    return sa.Column(column, kind, reference, nullable=False, primary_key=primary_key)


def _people(op: Operations) -> None:
    op.create_table(
        "people",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary, unique=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sqlite_autoincrement=True,
    )


def _conversations(op: Operations) -> None:
    op.create_table(
        "conversations",
        sa.Column("id", ID, primary_key=True),
        _belongs_to("people", "person_id"),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("leaf_id", ID),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_index("conversations_of_person", "conversations", ["person_id", "updated_at", "id"])
    op.create_index("conversations_by_age", "conversations", ["updated_at"])


def _messages(op: Operations) -> None:
    op.create_table(
        "messages",
        sa.Column("id", ID, primary_key=True),
        _belongs_to("conversations", "conversation_id"),
        sa.Column("parent_id", ID),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        sa.Column("latency_seconds", sa.Float),
        sa.Column("finish_reason", sa.String(32), nullable=False),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.Column("cached", sa.Boolean, nullable=False),
        sa.Column("error", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(32)),
        postgresql_with={"fillfactor": "90"},
    )
    op.create_index("messages_of_conversation", "messages", ["conversation_id", "id"])
    streaming = sa.text("state = 'streaming'")
    op.create_index(
        "messages_in_progress",
        "messages",
        ["owner"],
        sqlite_where=streaming,
        postgresql_where=streaming,
    )


def _feedback_and_requests(op: Operations) -> None:
    op.create_table(
        "feedback",
        _belongs_to("messages", "message_id", primary_key=True),
        sa.Column("rating", sa.String(8), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("correction", sa.Text, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
    )
    op.create_table(
        "requests",
        _belongs_to("people", "person_id", primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        _belongs_to("conversations", "conversation_id"),
        sa.Column("question_id", ID, nullable=False),
        sa.Column("answer_id", ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
    )
    op.create_index("requests_of_conversation", "requests", ["conversation_id"])
    op.create_index("requests_by_age", "requests", ["created_at"])


def _passages(op: Operations) -> None:
    op.create_table(
        "passages",
        sa.Column("id", NUMBER, primary_key=True),
        sa.Column("person_id", NUMBER, nullable=False),
        _belongs_to("conversations", "conversation_id"),
        sa.Column("message_id", ID),
        sa.Column("words", WORDS, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("passages_of_person", "passages", ["person_id", "id"])
    op.create_index("passages_of_conversation", "passages", ["conversation_id", "id"])
    if op.get_bind().dialect.name == "sqlite":
        for statement in FTS.strip().split(";\nCREATE"):
            op.execute(statement if statement.startswith("CREATE") else f"CREATE{statement}")
    else:
        op.execute(
            "CREATE INDEX passages_by_word ON passages USING gin (words) WITH (fastupdate = off)"
        )


def _processes(op: Operations) -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("beats", sa.BigInteger, nullable=False),
    )
