"""Repairs of what bounced: how many there were and may be, from which merge, what they dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    for name in ("repairs", "most_repairs"):
        count = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column("abreast_sessions", count)
    for name, default in (("mending", ""), ("dropped", "[]")):
        text = sa.Column(name, sa.Text(), nullable=False, server_default=default)
        op.add_column("abreast_sessions", text)
