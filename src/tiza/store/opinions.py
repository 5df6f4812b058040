"""What people think of answers, for whoever makes lessons of it. Knows the authors by role only.

A correction counts when it is a teacher's, an administrator's, or of somebody on a machine without
accounts: a file that a student brings in may say that it corrects something, too.
"""

from collections.abc import Sequence

from sqlalchemy import or_, select

from tiza.store.account_tables import accounts
from tiza.store.database import Database
from tiza.store.records import Opinion
from tiza.store.tables import conversations, feedback, messages

QUESTIONS = messages.alias("questions")
TRUSTED = or_(accounts.c.role.is_(None), accounts.c.role.in_(("teacher", "admin")))
COLUMNS = (
    messages.c.id,
    QUESTIONS.c.text.label("question"),
    QUESTIONS.c.parent_id.is_not(None).label("is_follow_up"),
    messages.c.text.label("answer"),
    messages.c.model,
    feedback.c.rating,
    feedback.c.reason,
    feedback.c.correction,
    feedback.c.updated_at,
    TRUSTED.label("is_trusted"),
)


class Opinions:
    """Everybody's. All methods raise StoreUnavailable, StoreBusy or StoreFull."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def corrections(self) -> Sequence[Opinion]:
        """Return what was corrected, the oldest first."""
        return [each for each in await self.every() if each.correction]

    async def every(self) -> Sequence[Opinion]:
        """Return what was rated, the oldest first; of students without what they corrected."""
        statement = (
            select(*COLUMNS)
            .select_from(feedback.join(messages, messages.c.id == feedback.c.message_id))
            .join(QUESTIONS, QUESTIONS.c.id == messages.c.parent_id)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .outerjoin(accounts, accounts.c.person_id == conversations.c.person_id)
            .order_by(feedback.c.updated_at, messages.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(statement)).mappings()
            return [_opinion(**row) for row in rows]


def _opinion(*, is_trusted: bool, correction: str, **told: object) -> Opinion:
    return Opinion(**told, correction=correction if is_trusted else "")  # type: ignore[arg-type]  # as COLUMNS has it
