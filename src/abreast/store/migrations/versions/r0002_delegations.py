"""Delegations: whose child a session is, and what each delegation came to."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TOKENS = ("start_up", "child_total", "kept_out", "summary", "net", "expected_net")


def upgrade() -> None:
    parent = sa.Column("parent", sa.Text(), nullable=False, server_default="")
    op.add_column("abreast_sessions", parent)
    op.create_table(
        "abreast_deliverables",
        sa.Column(
            "session_id",
            sa.Text(),
            sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("at", sa.Double(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("agent", "profile", "outcome")),
        sa.Column("repairs", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("bytes", "tokens")),
        *(sa.Column(name, sa.BigInteger()) for name in _TOKENS),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
    )
    index = ["agent", "profile", "at"]
    op.create_index("abreast_deliverables_profile", "abreast_deliverables", index)
