"""What is asked for a session that has no process any more: another attempt, once it has ended."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    again = sa.Column("again", sa.Text(), nullable=False, server_default="")
    op.add_column("abreast_sessions", again)
