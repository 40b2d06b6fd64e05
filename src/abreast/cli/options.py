"""Options and arguments that several verbs share, and what the shell may complete them with."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from abreast.errors import AbreastError
from abreast.model.session import Run, Session, SessionKind

F = TypeVar("F", bound=Callable[..., Any])


def complete_run(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return the runs whose names start with `begun`, each with its state."""
    return [CompletionItem(run.id, help=run.state) for run in _runs() if run.id.startswith(begun)]


def complete_session(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,  # noqa: ARG001
    begun: str,
) -> list[CompletionItem]:
    """Return the sessions whose names start with `begun`, each with its state.

    By their task alone, which means that of the newest run, or as RUN/TASK once a run is named.
    """
    sessions = [session for run in _runs() for session in run.sessions]
    tasks: dict[str, Session] = {}
    for session in sessions:
        tasks.setdefault(session.task, session)  # the newest run comes first
    named = [CompletionItem(task, help=f"{s.state}, {s.run}") for task, s in tasks.items()]
    whole = [CompletionItem(s.id, help=s.state) for s in sessions] if begun else []
    return [one for one in (*named, *whole) if one.value.startswith(begun)]


def complete_any(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the runs and sessions whose names start with `begun`."""
    return complete_run(ctx, param, begun) + complete_session(ctx, param, begun)


def complete_child(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,  # noqa: ARG001
    begun: str,
) -> list[CompletionItem]:
    """Return the delegations whose names start with `begun`: the run, and each child of several."""
    found = []
    for run in _runs():
        children = [one for one in run.sessions if one.kind is SessionKind.CHILD]
        found += [CompletionItem(run.id, help=run.state)] if children else []
        found += [CompletionItem(s.id, help=s.state) for s in children if len(children) > 1]
    return [one for one in found if one.value.startswith(begun)]


def _runs() -> list[Run]:
    from abreast.api import looking  # every verb's help imports this module

    try:
        return looking.runs(limit=50)
    except AbreastError:  # a completion has nowhere to say so
        return []


def complete_agent(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,
    begun: str,
) -> list[CompletionItem]:
    """Return the names of agents that start with `begun`: those that ask a model, and the default.

    The others need to be told in a plan what to do.
    """
    from abreast.agents import modelled

    own = [param.default] if isinstance(param.default, str) and param.default else []
    names = dict.fromkeys((*own, *modelled()))
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
    help="A session as RUN/TASK, or its task alone: then of the newest run here",
)

any_name = click.argument(
    "name",
    metavar="RUN|SESSION",
    callback=_named,
    shell_complete=complete_any,
    help="A run, or a session as RUN/TASK or by its task alone: then of the newest run here",
)

child_name = click.argument(
    "name",
    metavar="RUN|SESSION",
    callback=_named,
    shell_complete=complete_child,
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


_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Span(click.ParamType[float]):
    """A time ago, such as `7d`: its value is in seconds."""

    name = "span"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        number, unit = str(value)[:-1], str(value)[-1:]
        if unit not in _UNITS or not number.isdecimal() or len(number) > 5:
            self.fail(f"{value!r} is not a span of time: write 7d, 12h or 2w", param, ctx)
        return float(int(number) * _UNITS[unit])
