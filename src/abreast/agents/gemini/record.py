"""What Gemini CLI's own record of a session adds to its stream (0.61.0).

The stream states usage in its last line only, in total, and a process that was stopped never comes
to it; the record has the tokens of each reply. It also tells whether there is anything to resume.
"""

from dataclasses import dataclass
from pathlib import Path

from abreast.agents.gemini.records_history import SILENT, History
from abreast.agents.gemini.records_lines import header, lines_of, parse
from abreast.agents.gemini.records_usage import Spending
from abreast.agents.recorded import seconds
from abreast.model.events import Usage
from abreast.model.transcript import Spent
from abreast.process.folders import matching


def records(home: Path, session: str) -> list[Path]:
    """Return the files that hold `session` under the `GEMINI_CLI_HOME` `home`, oldest first."""
    # A resume in a later minute may begin another file of the same session.
    pattern = f".gemini/tmp/*/chats/session-*-{session[:8]}.json*"
    named = matching(home, pattern) if session else ()
    records = (path for path in named if path.suffix in {".json", ".jsonl"})
    return sorted(path for path in records if header(path).get("sessionId") == session)


def resumable(home: Path, session: str, worktree: Path) -> bool:
    """Return whether anything was said in `session`, which the CLI knows in `worktree` only."""
    return any(
        _said(path)
        for path in records(home, session)
        if b"".join(lines_of(path.parent.with_name(".project_root"))).strip() == bytes(worktree)
    )


@dataclass(frozen=True)
class ReplyUsage:
    """What one request to a model has cost. `tool`: the part of its input that tools put there."""

    model: str
    usage: Usage
    tool: int = 0


def replies(home: Path, session: str, since: str) -> list[ReplyUsage]:
    """Return the replies in `session` since a moment of the CLI's own clock, the first one first.

    What the CLI asks aside, such as which model to take, is not in its record.
    """
    found: dict[str, ReplyUsage] = {}
    begun = seconds(since)
    for path in records(home, session):
        spending = Spending(path)
        for line in lines_of(path):
            for one in spending.feed(line):
                if one.at >= begun:
                    found[one.id] = ReplyUsage(one.model, _usage(one), spending.tool(one.id))
    return [*found.values()]


def _usage(spent: Spent) -> Usage:
    return Usage(spent.input_tokens, spent.cached_tokens, spent.output_tokens, None, "transcript")


def _said(path: Path) -> bool:
    """Look at the messages as they are in the end: a failed request is taken out again."""
    history = History()
    for line in lines_of(path):
        try:
            record = parse(line)
        except ValueError:  # the last line of a process that was killed
            continue
        if isinstance(record, dict):
            history.apply(record)
    return any(kind not in SILENT for kind in history.kept.values())
