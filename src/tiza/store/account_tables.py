"""The tables of accounts: who may sign in, by what, and what was done.

No secret is kept as it is: of passwords there is an Argon2 hash, of random tokens a plain one, of
API keys a keyed one, and private keys are encrypted before they come here.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from tiza.store.tables import Moment, Number, metadata, people


def _person(*, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    reference = ForeignKey(people.c.id, ondelete="CASCADE")
    return Column("person_id", reference, primary_key=primary_key, nullable=nullable)


accounts = Table(
    "accounts",
    metadata,
    _person(primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),  # the same however it is written
    Column("role", String(16), nullable=False),
    Column("password_hash", Text),  # NULL: nobody can sign in by password
    Column("issuer", Text),  # with `subject`: who this is at an OpenID provider
    Column("subject", Text),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)
Index("accounts_by_subject", accounts.c.issuer, accounts.c.subject, unique=True)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    _person(),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
)
Index("sessions_of_person", sessions.c.person_id)

keys = Table(
    "keys",
    metadata,
    Column("id", String(16), primary_key=True),
    _person(),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # separated by spaces, as in RFC 6749
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("used_at", Moment),
)
Index("keys_of_person", keys.c.person_id)

invitations = Table(
    "invitations",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    _person(nullable=True),  # whose password it sets; NULL: it makes a new account
    Column("invited_by", ForeignKey(people.c.id, ondelete="CASCADE")),  # NULL: the operator
    Column("role", String(16), nullable=False),
    Column("label", Text, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
Index("invitations_of_person", invitations.c.person_id)
Index("invitations_by", invitations.c.invited_by)

attempts = Table(  # to sign in, without success
    "attempts",
    metadata,
    Column("subject", LargeBinary, primary_key=True),  # hash of a name or an address
    Column("failures", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("locked_until", Moment),
)

audit = Table(  # outlives the people in it, who are only numbers
    "audit",
    metadata,
    Column("id", Number, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("action", String(32), nullable=False),
    Column("actor_id", Number),
    Column("subject", Text, nullable=False),
    Column("address", String(64), nullable=False),
    sqlite_autoincrement=True,
)
Index("audit_by_time", audit.c.at)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("public", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("expires_at", Moment, nullable=False),
)
