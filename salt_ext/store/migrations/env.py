"""Run by Alembic; the connection comes from salt_ext.store.migrate."""

from alembic import context

from salt_ext.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
