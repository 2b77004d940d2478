"""Run by Alembic; the connection comes from salt_ext.store.migrate."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
