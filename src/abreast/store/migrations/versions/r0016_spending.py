"""What attempts have used, by quarters of an hour, for the limits of a run and of a day."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "abreast_spending",
        sa.Column(
            "session_id",
            sa.Text(),
            sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("quarter", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("turns", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("tokens", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("usd", sa.Double(), nullable=False, server_default="0"),
        sa.Column("listed", sa.Double(), nullable=False, server_default="0"),
    )
    op.create_index("abreast_spending_quarter", "abreast_spending", ["quarter"])
    op.create_index("abreast_sessions_parent", "abreast_sessions", ["parent"])
