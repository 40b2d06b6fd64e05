"""`abreast status`, `watch`, `logs` and `diff`: look at runs and sessions."""

import os
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from abreast.api import looking
from abreast.cli import as_json, door, options
from abreast.cli.filters import RowFilter, filters
from abreast.model.session import LogEvent, Presence, Run, Session
from abreast.model.snapshot import Snapshot
from abreast.model.text import counted, harmless
from abreast.places import find_places
from abreast.process import clock

if TYPE_CHECKING:
    from abreast.model.pull_request import SessionRequest
    from abreast.store.unrecorded import Unrecorded

_SHOWN = 5  # of the sessions whose record is gone


@click.command()
@options.run_name
@filters
@click.option("--all", "everything", is_flag=True, help="List all runs, one line each")
@click.option("--pr", is_flag=True, help="Ask GitHub or GitLab how the pull requests stand")
@click.option("--line", is_flag=True, help="How things stand in a few words, for a prompt")
@options.as_json
def status(
    *,
    run: str,
    everything: bool,
    pr: bool,
    line: bool,
    json: bool,
    repo: str,
    state: tuple[str, ...],
    agent: tuple[str, ...],
) -> int:
    """Show the state of runs and their sessions

    Without RUN: every unfinished run, or else the newest one; with --repo, --state or --agent
    all of the newest thousand sessions that fit. Sessions are in groups: Needs you, Failed,
    Working, Waiting, To land, Done. Of a run of more than 40, what needs you and what is at work
    come first. Two sessions whose work has come to
    conflict are named, and one that conflicts with its target as it is now: with files and the
    lines of each side. A run that nobody works on says so: a machine restart or `kill -9` has
    ended its worker and its agents.
    """
    wanted = RowFilter(repo, state, agent)
    if line:
        return _print_line(alone=wanted.all and not any((run, everything, pr, json)))
    one_look = run or json or not wanted.all
    snapshot = wanted.of(looking.snapshot(run) if one_look else looking.newest())
    if everything and wanted.all and not run:
        found = [(r, looking.presence(r)) for r in looking.runs(limit=1_000_000)]
    else:
        found = [(one.run, one.presence) for one in snapshot.runs]
        if json and wanted.all and not run:  # its rows are those of everything
            found = [one for one in found if not one[0].state.final] or found[:1]
    left = [] if run or not find_places().worktrees.exists() else looking.unrecorded()
    requests = [one for r, _ in found for one in looking.pull_requests(r)] if pr else []
    if json:
        runs = [as_json.run_dict(r, who) for r, who in found]
        asked = {"pull_requests": requests} if pr else {}
        rows = [as_json.row_dict(row) for row in snapshot.rows]
        seen = {"revision": snapshot.revision, "rows": rows}
        as_json.emit({"runs": runs, "unrecorded": left, **asked, **seen})
    elif found:
        _print(found, snapshot, brief=everything, whole=bool(run))
    elif not wanted.all:
        click.echo("no session is like that", err=True)
    elif not left:
        click.echo("nothing has run yet\nhint: `abreast demo` shows a run", err=True)
    if pr and not json:
        _print_requests(requests)
    if left and not json:
        _tell_unrecorded(left, alone=not found)
    return 0


def _print_line(*, alone: bool) -> int:
    from abreast.api.noticing import status_line

    if not alone:
        raise click.UsageError("--line stands alone: it counts everything")
    if text := status_line():
        click.echo(text)
    return 0


def _print_requests(requests: "Sequence[SessionRequest]") -> None:
    """Print how the pull requests stand; those of which nothing is known with the reason."""
    from abreast.cli.requests_table import requests_table

    if not requests:
        click.echo("no session has a pull request", err=True)
        return
    console = door.console()
    console.print()
    console.print(requests_table(requests))
    for one in requests:
        if one.request is None:
            click.echo(harmless(f"{one.session}: {one.reason}"), err=True)


def _tell_unrecorded(left: "Sequence[Unrecorded]", *, alone: bool) -> None:
    """Print which sessions have work on disk and no record, and where it is."""
    head = "no run is on record, but there is work of " if alone else "\nno record tells of "
    many = f"{head}{counted(len(left), 'session')}"
    places = [f"  {one.id}: {one.worktree or one.directory}" for one in left[:_SHOWN]]
    more = [f"  and {len(left) - _SHOWN:,} more"] if len(left) > _SHOWN else []
    hint = "hint: abreast doctor tells where it is; abreast recover rebuilds its records"
    click.echo(harmless("\n".join([f"{many}:", *places, *more, hint])), err=True)


def _print(
    found: Sequence[tuple[Run, Presence]], snapshot: Snapshot, *, brief: bool, whole: bool
) -> None:
    from abreast.cli import table

    console = door.console()
    if brief:
        console.print(table.runs_table(found, clock.now()))
        return
    for number, (run, who) in enumerate(found):
        if number:
            console.print()
        room = len(run.sessions) if whole else table.ROOM
        rows = [row for row in snapshot.rows if row.session.run == run.id]
        console.print(table.closing(run, who.at(clock.now()), room, who.who, rows), crop=False)


@click.command()
@options.run_name
@filters
@options.as_json
def watch(
    *, run: str, json: bool, repo: str, state: tuple[str, ...], agent: tuple[str, ...]
) -> int:
    """Follow a run, or everything here, until it ends

    Without RUN: all runs of this machine that go on, also those that begin meanwhile, and what
    needs you of others; where nothing goes on, the newest run. Ctrl-C closes the view; the runs
    continue. A worker that has died is replaced by one that continues them. The exit code is 0
    only if every task is done.
    """
    from abreast.api import looking
    from abreast.cli.live import follow, follow_all
    from abreast.model.session import Attendance

    wanted = RowFilter(repo, state, agent)
    if not run and any(one.goes_on for one in looking.newest().runs):
        return follow_all(wanted, json=json)
    found = looking.find_run(run)
    if looking.presence(found).who in {Attendance.AGENT, Attendance.NOBODY}:
        text = f"run {found.id} has no worker: it has died; another one is started"
        click.echo(text, err=True)
    return follow(found, json=json, wanted=wanted)


@click.command()
@options.session_name
@click.option("--follow", "-f", is_flag=True, help="Continue until the session ends")
@click.option("--stream", is_flag=True, help="Print the unchanged output of the agent's CLI")
@options.as_json
def logs(*, session: str, follow: bool, stream: bool, json: bool) -> int:
    """Print what a session did, step by step

    It begins with how the session stands, and why. With --json, every line is a JSON document of
    its own, and there is no such beginning.
    """
    from abreast.api import stories

    if stream and json:
        raise click.UsageError("--stream prints the CLI's own format; leave out --json")
    if stream:
        for line in stories.stream(session, follow=follow):
            door.send(line)
        return 0
    if json:
        for event in stories.logs(session, follow=follow):
            as_json.emit(event, lines=True)
        return 0
    found = looking.find_session(session)
    story = stories.logs(found.id, follow=follow)
    events: Iterable[LogEvent] = story if follow else list(story)
    _print_head(found, None if follow else len(list(events)))
    for event in events:
        click.echo(story_line(event))
    return 0


def _print_head(session: Session, events: int | None) -> None:
    """Print how a session stands, why, and what to do about it, before its story."""
    from abreast.cli.session_page import logs_head

    console = door.console()
    for line in logs_head(session, events):
        console.print(line, crop=False)
    console.print()


def story_line(event: LogEvent) -> str:
    """Return an event with its local time; further lines of its text are indented."""
    at = time.strftime("%H:%M:%S", time.localtime(event.at))
    text = harmless(event.told).strip().replace("\n", "\n" + " " * 21)
    return f"{at}  {event.kind:<9}  {text}".rstrip()


@click.command()
@options.session_name
@click.option("--stat", is_flag=True, help="List the files and the size of their changes")
@click.option(
    "--as-merged", is_flag=True, help="Against its target as it is now: what landing would change"
)
@options.as_json
def diff(*, session: str, stat: bool, as_merged: bool, json: bool) -> int:
    """Print a session's changes against its base

    Changes that are not committed yet are included. A terminal gets them in the colours and the
    pager of your git (core.pager, pager.diff, GIT_PAGER, color.ui), such as delta; the repository's
    own configuration does not count. `git apply` takes what a pipe or a file gets, also of binary
    files; what a terminal gets leaves those out, and every escape.
    """
    import shutil  # with three modules for archives

    from abreast.api.comparing import diff as compare
    from abreast.api.looking import find_session

    # On a terminal nobody reads the bytes of a binary file; a pipe may lead to `git apply`.
    shown = door.on_terminal() and not json
    width = shutil.get_terminal_size().columns if shown else 0
    text = compare(session, stat=stat, binary=not shown, as_merged=as_merged, width=width)
    if json:
        as_json.emit({"session": find_session(session).id, "diff": text})
    elif shown:
        from abreast.cli.diff_view import show_diff

        show_diff(text)
    else:
        door.send(os.fsencode(text))
    return 0


@click.command()
@options.session_name
@options.as_json
def show(*, session: str, json: bool) -> int:
    """Show what a session did, and what landing it does

    One page: what it was to do, the files it changed and which lie outside its declared paths,
    how the checks ended, with whom it conflicts now, what deserves a look, and the command that
    lands it.
    """
    from abreast.api.comparing import show as page_of

    page = page_of(session)
    if json:
        as_json.emit(page)
        return 0
    from abreast.cli.session_page import print_page

    print_page(door.console(), page)
    return 0
