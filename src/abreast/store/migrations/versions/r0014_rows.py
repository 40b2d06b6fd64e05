"""What rows of sessions show: since when they are in their state, and lines added and deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("abreast_sessions", sa.Column("moved", sa.Double()))
    tick = sa.Column("moved_tick", sa.Text(), nullable=False, server_default="")
    op.add_column("abreast_sessions", tick)
    for name in ("added", "deleted"):
        op.add_column("abreast_sessions", sa.Column(name, sa.Integer()))
