"""What of a session's work stands against that of others, or of its target, while it goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    conflicts = sa.Column("conflicts", sa.Text(), nullable=False, server_default="[]")
    op.add_column("abreast_sessions", conflicts)
