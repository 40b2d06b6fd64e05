"""Which tasks a session comes after, without needing them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    after = sa.Column("after", sa.Text(), nullable=False, server_default="[]")
    op.add_column("abreast_sessions", after)
