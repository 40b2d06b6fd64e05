"""`abreast land --review`: a person looks at each finished session, and says what becomes of it."""

import shlex
import sys
from collections.abc import Callable
from enum import StrEnum

import click

from abreast.cli import door
from abreast.cli.edge import explained
from abreast.cli.session_page import print_page
from abreast.errors import AbreastError
from abreast.model.session import LandState, Run, Session, SessionState

Land = Callable[[Session], Run]


class Choice(StrEnum):
    """What a person may answer, by its first letter or in full."""

    LAND = "land"
    BACK = "back"
    DIFF = "diff"
    SKIP = "skip"
    QUIT = "quit"


_KEYS = {key: choice for choice in Choice for key in (choice.value[0], choice.value)}
_ASK = "[l]and, send [b]ack with a remark, [d]iff, [s]kip, [q]uit"


def waiting(run: Run) -> list[Session]:
    """Return the sessions of a run that a person can decide about.

    They are in the plan's order, but each comes after those it waits for, which must land first.
    """
    settled = {LandState.LANDED, LandState.PROPOSED, LandState.UNDONE}
    rest = [
        s
        for s in run.sessions
        if s.state is SessionState.DONE and s.commit and s.landing not in settled
    ]
    found: list[Session] = []
    while rest:
        left = {s.task for s in rest}
        found.append(next(s for s in rest if left.isdisjoint(s.waits_for)))
        rest.remove(found[-1])
    return found


def review(sessions: list[Session], land: Land) -> int:
    """Show each session's page and do what the person at the terminal chooses.

    Sessions are sent back when all have been looked at, because nothing of a run lands while one of
    its sessions is at work; Ctrl-C before that sends nothing. What one of them cannot do is told,
    and the next one comes. Returns 0 if everything that was shown has landed.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("--review asks at a terminal; `abreast show` prints the same pages")
    if not sessions:
        click.echo("nothing waits to be looked at", err=True)
        return 0
    remarks: dict[str, str] = {}
    landed = 0
    try:
        for number, session in enumerate(sessions, 1):
            choice = _decide(session, f"{number} of {len(sessions)}")
            if choice is Choice.QUIT:
                break
            if choice is Choice.BACK:
                remarks[session.id] = click.prompt("What should it do", err=True)
            if choice is Choice.LAND:
                landed += _land(session, land)
    except click.Abort:
        for name, remark in remarks.items():
            click.echo(f"\nnot sent: abreast resume {name} -m {shlex.quote(remark)}", err=True)
        raise
    _send_back(remarks)
    return 0 if landed == len(sessions) else 1


def _decide(session: Session, where: str) -> Choice:
    from abreast.api.comparing import show

    click.echo(f"\n--- {where} ---", err=True)
    print_page(door.console(), show(session.id))
    while True:
        said = click.prompt(_ASK, err=True, show_choices=False).strip().lower()
        choice = _KEYS.get(said)
        if choice is None:
            click.echo("answer with one of the letters", err=True)
        elif choice is Choice.DIFF:
            _show_diff(session)
        else:
            return choice


def _show_diff(session: Session) -> None:
    from abreast.api.comparing import diff
    from abreast.cli.diff_view import show_diff

    show_diff(diff(session.id))


def _land(session: Session, land: Land) -> bool:
    click.echo(f"{session.id}: landing …", err=True)
    try:
        ended = next(s for s in land(session).sessions if s.id == session.id)
    except AbreastError as error:
        click.echo(explained(error), err=True)
        return False
    if ended.landing in {LandState.LANDED, LandState.PROPOSED}:
        click.echo(f"{session.id}: {ended.landing} {ended.landed}", err=True)
        return True
    hint = f"\nhint: {ended.hint}" if ended.hint else ""
    click.echo(f"{session.id}: {ended.landing}: {ended.reason}{hint}", err=True)
    return False


def _send_back(remarks: dict[str, str]) -> None:
    from abreast.api import running

    for name, remark in remarks.items():
        try:
            run = running.resume(name, remark)
        except AbreastError as error:
            click.echo(f"{name} was not sent back. {explained(error)}", err=True)
            continue
        click.echo(f"{name} goes on with your remark; abreast watch {run.id} follows", err=True)
