"""How a run's work is to land: in which order, how many at once, and what of them is tested."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for name, default in (("land_order", "fit"), ("land_tests", "tip")):
        column = sa.Column(name, sa.Text(), nullable=False, server_default=default)
        op.add_column("abreast_runs", column)
    batch = sa.Column("land_batch", sa.Integer(), nullable=False, server_default="1")
    op.add_column("abreast_runs", batch)
