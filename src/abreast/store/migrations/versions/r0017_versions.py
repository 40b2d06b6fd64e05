"""How often a session's row has changed, so that who has read it knows whether it has."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    version = sa.Column("version", sa.Integer(), nullable=False, server_default="0")
    op.add_column("abreast_sessions", version)
    columns = ["run_id", "position", "id", "version"]
    op.create_index("abreast_sessions_version", "abreast_sessions", columns)
