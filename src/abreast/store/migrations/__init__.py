"""Brings a database to the schema of this abreast."""

from pathlib import Path

import sqlalchemy as sa

from abreast.errors import StoreError
from abreast.store.engine import transaction
from abreast.store.revisions import REVISIONS, VERSION_TABLE


def migrate(engine: sa.Engine, revision: str = REVISIONS[-1]) -> None:
    """Upgrade the database, in one transaction; nothing happens when it is up to date.

    Safe to call from several processes at once. Raises StoreError when the database belongs to a
    newer abreast.
    """
    with transaction(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        current = current_revision(connection)
        if current is not None and current not in REVISIONS:
            raise StoreError(
                f"the database is at revision {current}, which this abreast does not know",
                hint="a newer version has used it: upgrade abreast, or set ABREAST_STATE_DIR",
            )
        if current != revision:
            _upgrade(connection, revision)


_LOCK = 0x6162726561737400  # an arbitrary key for PostgreSQL's lock ("abreast")


def current_revision(connection: sa.Connection) -> str | None:
    """Return the database's revision, or None when abreast has never used it."""
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return None if found is None else str(found)


def _upgrade(connection: sa.Connection, revision: str) -> None:
    # Most calls find nothing to do, and Alembic takes a while to import.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
