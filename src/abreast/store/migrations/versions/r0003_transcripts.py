"""The index of transcripts: what of each file has been read, and what it came to."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TEXTS = ("agent", "state", "session", "parent", "forked_from", "cwd", "warnings", "models")
_NUMBERS = ("inode", "size", "mtime", "read_bytes", "skipped", "generation")


def upgrade() -> None:
    op.create_table(
        "abreast_transcripts",
        sa.Column("path", sa.Text(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in _TEXTS),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _NUMBERS),
        sa.Column("begun", sa.Double(), nullable=False),
        sa.Column("gone", sa.Double()),
        sa.Column("tallies", sa.Text(), nullable=False),
        sa.Column("requests", sa.LargeBinary(), nullable=False),
    )
    index = ["agent", "session"]
    op.create_index("abreast_transcripts_session", "abreast_transcripts", index)
