"""What is kept of sessions, on a terminal: the list, and what is in one of them."""

import click
from rich.console import Console
from rich.text import Text

from abreast.cli.console import Column, Grid
from abreast.faces import figures
from abreast.model.rescue import KeptFile, KeptList, KeptPage, KeptWork

_FILES = 40  # of a page; --json has all


def print_list(console: Console, found: KeptList) -> None:
    """Print one row for each thing that is kept, and how to look into it."""
    if not found.works:
        click.echo("nothing is kept", err=True)
        return
    columns = (
        Column("name"),
        Column("kept"),
        Column("session"),
        Column("what", least=16),
        Column("repository", least=6),
    )
    rows = [
        (
            Text(figures.one_line(one.name)),
            Text(figures.moment(one.at)),
            Text(one.state or "no record", "" if one.state else "yellow"),
            Text(figures.one_line(one.words)),
            Text(figures.one_line(_repository(one))),
        )
        for one in found.works
    ]
    console.print(Grid(columns, rows))
    many = figures.counted(len({one.session for one in found.works}), "session")
    click.echo(f"kept of {many}; abreast rescue show NAME tells what is in it", err=True)


def _repository(work: KeptWork) -> str:
    shared = work.repository
    return shared.parent.name if shared.name == ".git" else shared.name or figures.UNKNOWN


def print_page(console: Console, page: KeptPage) -> None:
    """Print what is in something kept: its commits, and its files with how much differs."""
    work = page.work
    console.print(Text(f"{work.name}: {work.words}", "bold"), soft_wrap=True)
    where = f"{work.ref} of {work.repository}" if work.ref else str(work.folder)
    console.print(Text(f"{figures.moment(work.at)}  {where}"), soft_wrap=True)
    for state in page.states:
        line = f"{state.commit[:12]}  {figures.moment(state.at)}  {state.subject}"
        console.print(Text(f"  {figures.one_line(line)}".rstrip()), soft_wrap=True)
    console.print(Text(figures.counted(len(page.files), "file")))
    for file in page.files[:_FILES]:
        console.print(Text(f"  {_size(file):>14}  {figures.one_line(file.path)}"), soft_wrap=True)
    if len(page.files) > _FILES:
        console.print(Text(f"  and {len(page.files) - _FILES:,} more; --json lists all", "dim"))


def _size(file: KeptFile) -> str:
    if file.size is not None:
        return figures.size(file.size)
    if file.added is None or file.deleted is None:
        return "binary"
    return f"+{file.added} -{file.deleted}"
