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


def _known(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,  # noqa: ARG001
    names: tuple[str, ...],
) -> tuple[str, ...]:
    """Return the agents' names; raises BadParameter for one that no session can have."""
    if names:
        from abreast.agents import AGENTS
        from abreast.plan.explain import did_you_mean

        if unknown := next((name for name in names if name not in AGENTS), ""):
            hint = did_you_mean(unknown, AGENTS, "agents are")
            raise click.BadParameter(f"there is no agent {unknown}; {hint}")
    return names


def filters(verb: F) -> F:
    """Add `--repo`, `--state` and `--agent`, which the verb gets as `repo`, `state` and `agent`."""
    for option in (
        click.option(
            "--agent",
            "-a",
            metavar="AGENT",
            multiple=True,
            shell_complete=complete_agent,
            callback=_known,
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
