"""Links that people are sent. What they carry is behind `#`, so that no server's log has it."""

from tiza.settings import Settings


def invitation(settings: Settings, token: str) -> str:
    """Return the link with which somebody makes an account."""
    return f"{settings.page_url}/#invitation={token}"


def password(settings: Settings, token: str) -> str:
    """Return the link with which somebody sets a password."""
    return f"{settings.page_url}/#password={token}"
