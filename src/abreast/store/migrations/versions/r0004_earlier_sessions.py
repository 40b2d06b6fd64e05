"""The CLI sessions that a session has left behind, such as those of attempts that were retried."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    earlier = sa.Column("earlier_cli_sessions", sa.Text(), nullable=False, server_default="[]")
    op.add_column("abreast_sessions", earlier)
