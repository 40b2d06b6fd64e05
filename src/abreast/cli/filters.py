"""Options of `status` and `watch` that say which sessions are wanted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from abreast.cli.options import complete_agent
from abreast.model.session import SessionState
from abreast.model.snapshot import Group, Snapshot

F = TypeVar("F", bound=Callable[..., Any])

_STATES = dict.fromkeys([*(group.replace(" ", "-") for group in Group), *map(str, SessionState)])


@dataclass(frozen=True)
class RowFilter:
    """What the options say; without any, every session is wanted."""

    repo: str = ""
    states: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()

    @property
    def all(self) -> bool:
        return self == RowFilter()

    def of(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with what is wanted alone."""
        return snapshot if self.all else snapshot.only(self.repo, self.states, self.agents)


def filters(verb: F) -> F:
    """Add `--repo`, `--state` and `--agent`, which the verb gets as `repo`, `state` and `agent`."""
    for option in (
        click.option(
            "--agent",
            "-a",
            metavar="AGENT",
            multiple=True,
            shell_complete=complete_agent,
            help="Only sessions of this agent; may be given several times",
        ),
        click.option(
            "--state",
            "-s",
            metavar="STATE",
            multiple=True,
            type=click.Choice(list(_STATES)),
            help="Only sessions in this state or group (needs-you, failed, working, waiting,"
            " to-land, done); may be given several times",
        ),
        click.option(
            "--repo",
            metavar="NAME|DIR",
            default="",
            help="Only sessions of this repository, by its folder's name or path",
        ),
    ):
        verb = option(verb)
    return verb
