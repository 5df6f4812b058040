"""What must not be lost: people, conversations, messages, feedback. SQLite, or PostgreSQL.

`store.Store` is the door; `records` is what goes in and out. Knows neither HTTP nor engines.
"""
