"""Options and arguments that several verbs share, and what the shell may complete them with."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from abreast.errors import AbreastError
from abreast.model.session import Run

F = TypeVar("F", bound=Callable[..., Any])


def complete_run(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the runs whose names start with `begun`, each with its state."""
    return [CompletionItem(run.id, help=run.state) for run in _runs() if run.id.startswith(begun)]


def complete_session(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,  # noqa: ARG001
    begun: str,
) -> list[CompletionItem]:
    """Return the sessions whose names start with `begun`, each with its state."""
    sessions = [session for run in _runs() for session in run.sessions]
    return [CompletionItem(s.id, help=s.state) for s in sessions if s.id.startswith(begun)]


def complete_any(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the runs and sessions whose names start with `begun`."""
    return complete_run(ctx, param, begun) + complete_session(ctx, param, begun)


def _runs() -> list[Run]:
    from abreast.api import looking  # every verb's help imports this module

    try:
        return looking.runs(limit=50)
    except AbreastError:  # a completion has nowhere to say so
        return []


def complete_agent(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,  # noqa: ARG001
    begun: str,
) -> list[CompletionItem]:
    """Return the names of agents that start with `begun`."""
    from abreast.agents import AGENTS

    names = (name for name in AGENTS if name != "command")  # a name is not all that it takes
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def agent(what: str, default: str = "") -> Callable[[F], F]:
    """Return the option `--agent`; `what` says what for, with {} for the names of agents."""
    from abreast.agents import modelled
    from abreast.model.text import either

    return click.option(
        "--agent",
        "-a",
        metavar="AGENT",
        default=default,
        show_default=bool(default),
        shell_complete=complete_agent,
        help=what.format(either(modelled())),
    )


def warn(text: str) -> None:
    """Print what a person should know before something begins."""
    from abreast.model.text import harmless

    click.echo(f"warning: {harmless(text)}", err=True)


class OneOf(click.Choice[str]):
    """One of the values of an enumeration, which the verb gets a member of."""

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__([str(one) for one in kind])
        self._kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._kind(super().convert(value, param, ctx))


def _named(ctx: click.Context, param: click.Parameter, name: str) -> str:
    """Refuse a name without a run: an unset variable of a shell does not mean the newest run."""
    if not name.partition("/")[0]:
        raise click.BadParameter(f"{name!r} names no run and no session", ctx, param)
    return name


as_json = click.option("--json", is_flag=True, help="Print JSON on standard output")

run_name = click.argument(
    "run",
    metavar="[RUN]",
    default="",
    shell_complete=complete_run,
    help="A run, or the beginning of its name; without it the newest",
)

optional_name = click.argument(
    "name",
    metavar="[RUN|SESSION]",
    default="",
    shell_complete=complete_any,
    help="A run, or a session as RUN/TASK or by its task alone; without it the newest run",
)

session_name = click.argument(
    "session",
    metavar="SESSION",
    callback=_named,
    shell_complete=complete_session,
    help="A session as RUN/TASK, or its task alone: then of the newest run that has it",
)

any_name = click.argument(
    "name",
    metavar="RUN|SESSION",
    callback=_named,
    shell_complete=complete_any,
    help="A run, or a session as RUN/TASK or by its task alone: then of the newest run that has it",
)

child_name = click.argument(
    "name",
    metavar="RUN|SESSION",
    callback=_named,
    shell_complete=complete_any,
    help="A run, or a session as RUN/TASK",
)

model = click.option(
    "--model", metavar="MODEL", default="", help="The agent's model, as its CLI calls it"
)

repo = click.option(
    "--repo",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The repository; without it the one around the current folder",
)
