"""`abreast land --review`: a person looks at each finished session, and says what becomes of it."""

import os
import shutil
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import click

from abreast.cli import door
from abreast.cli.session_page import print_page
from abreast.model.session import LandState, Run, Session, SessionState
from abreast.model.text import harmless
from abreast.process.command import run_foreground

Land = Callable[[Session], Run]


class Choice(StrEnum):
    """What a person may answer, by its first letter."""

    LAND = "land"
    BACK = "back"
    DIFF = "diff"
    SKIP = "skip"
    QUIT = "quit"


_KEYS = {choice.value[0]: choice for choice in Choice}
_ASK = "[l]and, send [b]ack with a remark, [d]iff, [s]kip, [q]uit"


def waiting(run: Run) -> list[Session]:
    """Return the sessions of a run that a person can decide about, in the plan's order."""
    settled = {LandState.LANDED, LandState.PROPOSED}
    return [
        s
        for s in run.sessions
        if s.state is SessionState.DONE and s.commit and s.landing not in settled
    ]


def review(sessions: list[Session], land: Land) -> int:
    """Show each session's page and do what the person at the terminal chooses.

    Sessions are sent back when all have been looked at, because nothing of a run lands while one of
    its sessions is at work. Returns 0 if everything that was shown has landed.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("--review asks at a terminal; `abreast show` prints the same pages")
    if not sessions:
        click.echo("nothing waits to be looked at", err=True)
        return 0
    remarks: dict[str, str] = {}
    landed = 0
    for number, session in enumerate(sessions, 1):
        choice = _decide(session, f"{number} of {len(sessions)}")
        if choice is Choice.QUIT:
            break
        if choice is Choice.BACK:
            remarks[session.id] = click.prompt("What should it do", err=True)
        if choice is Choice.LAND:
            landed += _land(session, land)
    _send_back(remarks)
    return 0 if landed == len(sessions) else 1


def _decide(session: Session, where: str) -> Choice:
    from abreast.api.comparing import show

    click.echo(f"\n--- {where} ---", err=True)
    print_page(door.console(), show(session.id))
    while True:
        said = click.prompt(_ASK, err=True, show_choices=False).strip().lower()
        choice = _KEYS.get(said[:1])
        if choice is None:
            click.echo("answer with one of the letters", err=True)
        elif choice is Choice.DIFF:
            _show_diff(session)
        else:
            return choice


def _show_diff(session: Session) -> None:
    """Show a session's diff by `delta` where it is installed, else in the pager."""
    from abreast.api.comparing import diff

    text = harmless(diff(session.id))
    if shutil.which("delta"):
        run_foreground(["delta"], cwd=Path.cwd(), env=os.environ, given=os.fsencode(text))
    else:
        click.echo_via_pager(text)


def _land(session: Session, land: Land) -> bool:
    ended = next(s for s in land(session).sessions if s.id == session.id)
    if ended.landing in {LandState.LANDED, LandState.PROPOSED}:
        click.echo(f"{session.id}: {ended.landing} {ended.landed}", err=True)
        return True
    click.echo(harmless(f"{session.id}: {ended.landing}: {ended.reason}"), err=True)
    return False


def _send_back(remarks: dict[str, str]) -> None:
    from abreast.api import running

    for name, remark in remarks.items():
        run = running.resume(name, remark)
        click.echo(f"{name} goes on with your remark; abreast watch {run.id} follows", err=True)
