"""Questions: what sessions ask a person, and the answers. What sessions were told has an index."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_WORDS = ("tool", "about", "call", "decision", "answer")


def upgrade() -> None:
    session = sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE")
    op.create_table(
        "abreast_questions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("session_id", sa.Text(), session, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked", sa.Double(), nullable=False),
        sa.Column("choices", sa.Text(), nullable=False, server_default="[]"),
        sa.Column("several", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("live", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("answered", sa.Double()),
        *(sa.Column(name, sa.Text(), nullable=False, server_default="") for name in _WORDS),
    )
    op.create_index("abreast_questions_session", "abreast_questions", ["session_id"])
    op.create_index("abreast_questions_answered", "abreast_questions", ["answered"])
    told = sa.text("kind = 'tell'")
    op.create_index(
        "abreast_events_told",
        "abreast_events",
        ["at"],
        sqlite_where=told,
        postgresql_where=told,
    )
