"""Run by Alembic: migrations work in the transaction of the connection that they are given."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection)
context.run_migrations()
