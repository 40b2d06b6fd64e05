"""What Alembic runs for each command: our connection, inside the caller's transaction."""

from alembic import context

from abreast.store.revisions import VERSION_TABLE
from abreast.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
