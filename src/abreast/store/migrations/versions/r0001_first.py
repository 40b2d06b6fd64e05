"""The first tables: runs, sessions, events, usage, executors.

A revision is history: it spells its tables out and imports nothing of abreast.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _runs()
    _sessions()
    _events()
    _usage()
    _executors()


def _text(name: str, default: str = "") -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False, server_default=default)


def _required(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=False)


def _count(name: str, default: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default=str(default))


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Double(), nullable=nullable)


def _numbers() -> list[sa.Column[Any]]:
    tokens = ("input_tokens", "cached_tokens", "output_tokens")
    return [
        *(sa.Column(name, sa.BigInteger()) for name in tokens),
        sa.Column("cost_usd", sa.Double()),
    ]


def _runs() -> None:
    op.create_table(
        "abreast_runs",
        sa.Column("id", sa.Text(), primary_key=True),
        *(_text(name) for name in ("repo", "common_dir", "base", "base_sha", "target")),
        _required("state"),
        _required("land"),
        _time("created", nullable=False),
        _time("ended"),
        _count("max_parallel", 1),
        _text("source"),
        _text("note"),
        _required("plan"),
        _flag("stop_requested"),
        _count("generation", 1),
    )
    op.create_index("abreast_runs_created", "abreast_runs", ["created"])
    op.create_index("abreast_runs_state", "abreast_runs", ["state"])


def _sessions() -> None:
    op.create_table(
        "abreast_sessions",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column(
            "run_id",
            sa.Text(),
            sa.ForeignKey("abreast_runs.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        *(_required(name) for name in ("task", "agent", "state", "kind")),
        _text("produces"),
        _count("attempt", 1),
        *(
            _text(n)
            for n in ("base_sha", "branch", "worktree", "directory", "cli_session", "model")
        ),
        _time("started"),
        _time("ended"),
        _text("last_action"),
        _count("turns"),
        *_numbers(),
        _text("usage_source", "none"),
        _text("files", "[]"),
        *(_text(name) for name in ("commit", "reason", "hint", "final_message")),
        _text("landing", "none"),
        _text("landed"),
        _text("needs", "[]"),
        _flag("stop_requested"),
    )
    op.create_index("abreast_sessions_run", "abreast_sessions", ["run_id", "position"], unique=True)
    op.create_index("abreast_sessions_task", "abreast_sessions", ["task"])


def _events() -> None:
    op.create_table(
        "abreast_events",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        _time("at", nullable=False),
        sa.Column(
            "run_id",
            sa.Text(),
            sa.ForeignKey("abreast_runs.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column(
            "session_id", sa.Text(), sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE")
        ),
        _required("kind"),
        _text("text"),
        sqlite_autoincrement=True,
    )
    op.create_index("abreast_events_run", "abreast_events", ["run_id", "id"])
    op.create_index("abreast_events_session", "abreast_events", ["session_id", "id"])


def _usage() -> None:
    op.create_table(
        "abreast_usage",
        sa.Column(
            "session_id",
            sa.Text(),
            sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("attempt", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("model", sa.Text(), primary_key=True),
        *_numbers(),
        _text("source", "none"),
    )


def _executors() -> None:
    op.create_table(
        "abreast_executors",
        sa.Column("id", sa.Text(), primary_key=True),
        _required("boot"),
        _time("expires", nullable=False),
        _required("state"),
        _required("host"),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        _time("pid_started", nullable=False),
    )
