"""Times that can be measured, the order of runs, and where an executor is at home."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table, name in (
        ("abreast_runs", "created_tick"),
        ("abreast_sessions", "started_tick"),
        ("abreast_sessions", "ended_tick"),
        ("abreast_executors", "space"),
        ("abreast_executors", "state_dir"),
    ):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("abreast_executors", sa.Column("since", sa.Double()))
    ordinal = sa.Column("ordinal", sa.Integer(), nullable=False, server_default="0")
    op.add_column("abreast_runs", ordinal)
    op.execute(
        "WITH numbered AS (SELECT id, row_number() OVER (ORDER BY created, id) AS n "
        "FROM abreast_runs) UPDATE abreast_runs SET ordinal = "
        "(SELECT n FROM numbered WHERE numbered.id = abreast_runs.id)"
    )
    op.create_index("abreast_runs_ordinal", "abreast_runs", ["ordinal"])
