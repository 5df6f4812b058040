"""The tables, the same on SQLite and PostgreSQL; `migrations` makes them.

What only PostgreSQL is told of them (how full a page gets, which rows an index has) stands there
alone: here it would load that half of SQLAlchemy for SQLite, too.

Deleting a person or a conversation takes with it, in the database itself, all that hangs on it.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)
from sqlalchemy.types import JSON, UserDefinedType


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, also where the database (SQLite) has no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite keeps what it is given, so the zone is left out there."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Give the zone back."""
        return (
            None
            if value is None
            else value.astimezone(UTC)
            if value.tzinfo
            else value.replace(tzinfo=UTC)
        )


class TSVector(UserDefinedType[str]):
    """PostgreSQL's indexed words. SQLAlchemy's own would bring its PostgreSQL half to SQLite."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the name that PostgreSQL has for it."""
        return "TSVECTOR"


Id = String(32).with_variant(String(32, "C"), "postgresql")  # see `identifiers`
Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers only an INTEGER by itself
Words = Text().with_variant(TSVector(), "postgresql")

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("id", Number, primary_key=True),
    Column("token_hash", LargeBinary, unique=True),  # of the anonymous cookie; NULL: signed out
    Column("created_at", Moment, nullable=False),
    sqlite_autoincrement=True,  # a number is never given again: it marks its person's words
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", ForeignKey(people.c.id, ondelete="CASCADE"), nullable=False),
    Column("title", Text, nullable=False),
    Column("leaf_id", Id),  # ends the branch that was last chosen
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("pinned", Boolean, nullable=False, server_default=false()),
)
Index(
    "conversations_of_person",
    conversations.c.person_id,
    conversations.c.updated_at,
    conversations.c.id,
)
Index("conversations_by_age", conversations.c.updated_at)  # for the retention period

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),  # grows with time
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("parent_id", Id),  # of the same conversation, as `messages` sees to
    Column("role", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("model", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("latency_seconds", Float),
    Column("finish_reason", String(32), nullable=False),
    Column("truncated", Boolean, nullable=False),
    Column("cached", Boolean, nullable=False),
    Column("error", String(64), nullable=False),
    Column("owner", String(32)),  # the process that writes the answer; kept after its end
)
Index("messages_of_conversation", messages.c.conversation_id, messages.c.id)
Index(
    "messages_in_progress",
    messages.c.owner,
    sqlite_where=messages.c.state == "streaming",
)

feedback = Table(
    "feedback",
    metadata,
    Column("message_id", ForeignKey(messages.c.id, ondelete="CASCADE"), primary_key=True),
    Column("rating", String(8), nullable=False),
    Column("reason", Text, nullable=False),
    Column("correction", Text, nullable=False),
    Column("updated_at", Moment, nullable=False),
)

requests = Table(  # what was begun under an Idempotency-Key
    "requests",
    metadata,
    Column("person_id", ForeignKey(people.c.id, ondelete="CASCADE"), primary_key=True),
    Column("key", String(64), primary_key=True),  # its hash
    Column("fingerprint", LargeBinary, nullable=False),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("question_id", Id, nullable=False),
    Column("answer_id", Id, nullable=False),
    Column("created_at", Moment, nullable=False),
)
Index("requests_of_conversation", requests.c.conversation_id)
Index("requests_by_age", requests.c.created_at)

passages = Table(  # the words of a message, or of a title (no message), to be found by
    "passages",
    metadata,
    Column("id", Number, primary_key=True),
    Column("person_id", Number, nullable=False),
    Column("conversation_id", ForeignKey(conversations.c.id, ondelete="CASCADE"), nullable=False),
    Column("message_id", Id),
    Column("words", Words, nullable=False),
    sqlite_autoincrement=True,
)
Index("passages_of_person", passages.c.person_id, passages.c.id)
Index("passages_of_conversation", passages.c.conversation_id, passages.c.id)

processes = Table(  # who may be writing answers; see `presence`
    "processes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("place", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("beats", BigInteger, nullable=False),
)
