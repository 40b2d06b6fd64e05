"""The queues of agents, and of sessions why they ended and why they do not start."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    texts = ("reason", "hint", "session", "probe")
    op.create_table(
        "abreast_agent_queues",
        sa.Column("agent", sa.Text(), primary_key=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False, server_default="none"),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double()),
        sa.Column("stated", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        *(sa.Column(name, sa.Text(), nullable=False, server_default="") for name in texts),
    )
    for name, default in (("cause", "none"), ("held", "")):
        column = sa.Column(name, sa.Text(), nullable=False, server_default=default)
        op.add_column("abreast_sessions", column)
    setbacks = sa.Column("setbacks", sa.Integer(), nullable=False, server_default="0")
    op.add_column("abreast_sessions", setbacks)
