"""What the gate said of a plan, what became of it, and what was written outside declared paths."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    outside = sa.Column("outside", sa.Text(), nullable=False, server_default="[]")
    op.add_column("abreast_sessions", outside)
    run = sa.ForeignKey("abreast_runs.id", ondelete="CASCADE")
    op.create_table(
        "abreast_judgements",
        sa.Column("run_id", sa.Text(), run, primary_key=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("happened", sa.Text(), nullable=False, server_default=""),
    )
