"""The tables of abreast, for SQLite and PostgreSQL alike; DBOS keeps its own beside them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeDecorator

from abreast.store.rows import clean

metadata = sa.MetaData()


class Prose(TypeDecorator[str]):
    """Text that somebody else wrote: made fit for every database on its way in."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else clean(value)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _prose(name: str) -> sa.Column[Any]:
    return sa.Column(name, Prose, nullable=False, server_default="")


def _list(name: str) -> sa.Column[Any]:
    """Return a column that holds a JSON array of strings."""
    return sa.Column(name, sa.Text, nullable=False, server_default="[]")


def _count(name: str, default: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False, server_default=str(default))


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    """Return a column that holds Unix seconds."""
    return sa.Column(name, sa.Double, nullable=nullable)


def _usage() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("input_tokens", sa.BigInteger),
        sa.Column("cached_tokens", sa.BigInteger),
        sa.Column("output_tokens", sa.BigInteger),
        sa.Column("cost_usd", sa.Double),
    )


runs = sa.Table(
    "abreast_runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    _text("repo"),
    _text("common_dir"),
    _text("base"),
    _text("base_sha"),
    _text("target"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("land", sa.Text, nullable=False),
    _time("created", nullable=False),
    _text("created_tick"),
    _count("ordinal"),  # grows from run to run, whatever the clock says
    _time("ended"),
    _count("max_parallel", 1),
    _text("source"),
    _prose("note"),
    sa.Column("plan", sa.Text, nullable=False),
    _flag("stop_requested"),
    sa.Column("land_order", sa.Text, nullable=False, server_default="fit"),
    _count("land_batch", 1),
    sa.Column("land_tests", sa.Text, nullable=False, server_default="tip"),
    _count("generation", 1),  # counts the requests to work on it
    sa.Index("abreast_runs_created", "created"),
    sa.Index("abreast_runs_ordinal", "ordinal"),
    sa.Index("abreast_runs_state", "state"),
)

sessions = sa.Table(
    "abreast_sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column(
        "run_id", sa.Text, sa.ForeignKey("abreast_runs.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("position", sa.Integer, nullable=False),  # in the plan, from 0
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    _prose("produces"),
    _count("attempt", 1),
    _text("base_sha"),
    _text("branch"),
    _text("worktree"),
    _text("directory"),
    _text("cli_session"),
    _text("model"),
    _time("started"),
    _text("started_tick"),  # see `Moment`
    _time("ended"),
    _text("ended_tick"),
    _time("moved"),
    _text("moved_tick"),
    _prose("last_action"),
    _count("turns"),
    *_usage(),  # over all attempts; `usage` has the parts
    sa.Column("usage_source", sa.Text, nullable=False, server_default="none"),
    _list("files"),
    sa.Column("added", sa.Integer),
    sa.Column("deleted", sa.Integer),
    _text("commit"),
    _prose("reason"),
    _prose("hint"),
    _prose("final_message"),
    sa.Column("landing", sa.Text, nullable=False, server_default="none"),
    _text("landed"),
    _list("needs"),
    _list("after"),
    _list("outside"),
    _list("conflicts"),  # objects, each a `WorkConflict`
    _list("dropped"),
    sa.Column("cause", sa.Text, nullable=False, server_default="none"),
    _text("held"),  # an object, see `Hold`; "": nothing holds it up
    _count("setbacks"),
    _count("repairs"),
    _count("most_repairs"),
    _text("mending"),
    _flag("stop_requested"),
    _text("parent"),
    _list("earlier_cli_sessions"),  # those before `cli_session`, oldest first
    _text("again"),  # how to go on once it has ended, if asked for: `resume` or `retry`
    # Counted up by each change of the row, whatever makes it (see `store.snapshots`).
    sa.Column(
        "version",
        sa.Integer,
        nullable=False,
        server_default="0",
        onupdate=sa.literal_column("abreast_sessions.version") + 1,
    ),
    sa.Index("abreast_sessions_run", "run_id", "position", unique=True),
    sa.Index("abreast_sessions_task", "task"),
    sa.Index("abreast_sessions_parent", "parent"),
    # All of what is looked at again and again: wide rows are not read for it.
    sa.Index("abreast_sessions_version", "run_id", "position", "id", "version"),
)

events = sa.Table(
    "abreast_events",
    metadata,
    sa.Column(
        "id",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),  # only INTEGER counts up by itself
        primary_key=True,
        autoincrement=True,
    ),
    _time("at", nullable=False),
    sa.Column(
        "run_id", sa.Text, sa.ForeignKey("abreast_runs.id", ondelete="CASCADE"), nullable=False
    ),
    # NULL: the event is the whole run's.
    sa.Column("session_id", sa.Text, sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE")),
    sa.Column("kind", sa.Text, nullable=False),
    _prose("text"),
    sa.Index("abreast_events_run", "run_id", "id"),
    sa.Index("abreast_events_session", "session_id", "id"),
    sa.Index(
        "abreast_events_told",
        "at",
        sqlite_where=sa.text("kind = 'tell'"),
        postgresql_where=sa.text("kind = 'tell'"),
    ),
    sqlite_autoincrement=True,  # an id is never given twice, so that readers can go on after one
)

# What sessions ask a person, and what the person has said: see `Question`.
questions = sa.Table(
    "abreast_questions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column(
        "session_id",
        sa.Text,
        sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("text", Prose, nullable=False),
    _time("asked", nullable=False),
    _list("choices"),  # objects, each a `AnswerChoice`
    _flag("several"),
    _prose("tool"),
    _prose("about"),
    _text("call"),
    _flag("live"),
    _time("answered"),
    _text("decision"),
    _prose("answer"),
    sa.Index("abreast_questions_session", "session_id"),
    sa.Index("abreast_questions_answered", "answered"),
)

# How the queue of each agent stands: see `AgentQueue`. One that has no row is open.
agent_queues = sa.Table(
    "abreast_agent_queues",
    metadata,
    sa.Column("agent", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False, server_default="none"),
    _prose("reason"),
    _prose("hint"),
    _time("since", nullable=False),
    _time("until"),
    _flag("stated"),
    _count("tries"),
    _text("session"),
    _text("probe"),
)

# What the gate said of a run's plan before it began, and what became of it: JSON, see `codec`.
judgements = sa.Table(
    "abreast_judgements",
    metadata,
    sa.Column(
        "run_id", sa.Text, sa.ForeignKey("abreast_runs.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("said", Prose, nullable=False),
    sa.Column("happened", Prose, nullable=False, server_default=""),
)

# One row for each model, and one with model '' for the whole attempt as its CLI stated it.
usage = sa.Table(
    "abreast_usage",
    metadata,
    sa.Column(
        "session_id",
        sa.Text,
        sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("model", sa.Text, primary_key=True),
    *_usage(),
    sa.Column("source", sa.Text, nullable=False, server_default="none"),
)

# What an attempt had used in all when last looked at within a quarter of an hour. Each day, in
# whatever zone, begins and ends with one: so what was used within it is told for any of them.
spending = sa.Table(
    "abreast_spending",
    metadata,
    sa.Column(
        "session_id",
        sa.Text,
        sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("attempt", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("quarter", sa.BigInteger, primary_key=True, autoincrement=False),  # since 1970
    _count("turns"),
    sa.Column("tokens", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("usd", sa.Double, nullable=False, server_default="0"),
    sa.Column("listed", sa.Double, nullable=False, server_default="0"),  # of `usd`: no CLI's word
    sa.Index("abreast_spending_quarter", "quarter"),
)

# What a delegation came to: figures for later estimates and for the ledger. The text is in `path`.
deliverables = sa.Table(
    "abreast_deliverables",
    metadata,
    sa.Column(
        "session_id",
        sa.Text,
        sa.ForeignKey("abreast_sessions.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    _time("at", nullable=False),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("profile", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("repairs", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("start_up", sa.BigInteger),
    sa.Column("child_total", sa.BigInteger),
    sa.Column("kept_out", sa.BigInteger),
    sa.Column("summary", sa.BigInteger),
    sa.Column("net", sa.BigInteger),
    sa.Column("expected_net", sa.BigInteger),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Index("abreast_deliverables_profile", "agent", "profile", "at"),
)

# What of each transcript has been read, and what it came to. `path` is as `transcripts.key` gives
# it; `requests` has what the file alone has told of: a copy of it elsewhere is not counted again.
transcripts = sa.Table(
    "abreast_transcripts",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("agent", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("session", Prose, nullable=False),
    sa.Column("parent", Prose, nullable=False),
    sa.Column("forked_from", Prose, nullable=False),
    sa.Column("cwd", Prose, nullable=False),
    sa.Column("warnings", sa.Text, nullable=False),
    sa.Column("models", sa.Text, nullable=False),
    sa.Column("inode", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("mtime", sa.BigInteger, nullable=False),  # in nanoseconds
    sa.Column("read_bytes", sa.BigInteger, nullable=False),
    sa.Column("skipped", sa.BigInteger, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),  # counts the changes of the index
    _time("begun", nullable=False),
    _time("gone"),  # since when the file has not been there
    sa.Column("tallies", sa.Text, nullable=False),
    sa.Column("requests", sa.LargeBinary, nullable=False),  # large, so last
    sa.Index("abreast_transcripts_session", "agent", "session"),
)

executors = sa.Table(
    "abreast_executors",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("boot", sa.Text, nullable=False),  # names one process's hold on the id
    _time("expires", nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),  # as people call it
    _text("space"),  # in which a pid means something: see `holders.this_space`
    sa.Column("pid", sa.BigInteger, nullable=False),
    _time("pid_started", nullable=False),
    _text("state_dir"),
    _time("since"),
)
