"""The table of verbs, and the command group that loads a verb's module only when it is called."""

import os
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NoReturn

import click

from abreast.process.environment import BROKER


@dataclass(frozen=True)
class Verb:
    """One verb: its section and line in the help, and where in `abreast.cli` its command is."""

    section: str
    module: str
    command: str
    line: str

    def load(self) -> click.Command:
        """Import the verb's module and return its command, whose call returns the exit code."""
        module = import_module(f"abreast.cli.{self.module}")
        command: click.Command = getattr(module, self.command)
        return command


# The lines repeat those of the commands themselves, so that `abreast --help` need not import them;
# a test compares.
VERBS = {
    "init": Verb("Start", "init", "init", "Write a repository's first settings and a first plan"),
    "check": Verb("Start", "check", "check", "Say which tasks of a plan are independent, and why"),
    "run": Verb("Start", "run", "run", "Run a plan, or the tasks given by -t, side by side"),
    "open": Verb("Start", "attach", "open_", "Open an interactive session in a fresh worktree"),
    "delegate": Verb("Start", "delegate", "delegate", "Ask a child agent one bounded question"),
    "demo": Verb("Start", "run", "demo", "Run three tasks on a throw-away repository, no account"),
    "status": Verb("Look", "look", "status", "Show the state of runs and their sessions"),
    "watch": Verb("Look", "look", "watch", "Follow a run, or everything here, until it ends"),
    "ui": Verb("Look", "ui", "ui", "Open the board: all sessions, and what each needs"),
    "serve": Verb(
        "Look", "serve", "serve", "Serve the board and the sessions as a page for your browser"
    ),
    "logs": Verb("Look", "look", "logs", "Print what a session did, step by step"),
    "diff": Verb("Look", "look", "diff", "Print a session's changes against its base"),
    "conflicts": Verb(
        "Look", "conflicts", "conflicts", "Say which sessions would conflict if they landed now"
    ),
    "show": Verb("Look", "look", "show", "Show what a session did, and what landing it does"),
    "path": Verb("Look", "attach", "path", "Print the path of a session's worktree"),
    "collect": Verb("Look", "delegate", "collect", "Print the deliverable of a delegation"),
    "ledger": Verb(
        "Look", "ledger", "ledger", "Show what sessions have used, and what delegating saved"
    ),
    "agents": Verb(
        "Look", "machine", "agents", "List agents: installation, login and capabilities"
    ),
    "doctor": Verb(
        "Look", "doctor", "doctor", "Find problems in how work was split, and leftovers"
    ),
    "answer": Verb("Steer", "answer", "answer", "Answer what sessions ask"),
    "tell": Verb("Steer", "steer", "tell", "Send a message to a session"),
    "stop": Verb("Steer", "steer", "stop", "Stop a run or a session, and keep what it did"),
    "resume": Verb("Steer", "steer", "resume", "Continue a run or a session where it stopped"),
    "retry": Verb("Steer", "steer", "retry", "Run one session again, on the target as it is now"),
    "attach": Verb("Steer", "attach", "attach", "Open a session in its own CLI, in its worktree"),
    "edit": Verb("Steer", "attach", "edit", "Open a session's worktree in your editor"),
    "land": Verb("Finish", "finish", "land", "Bring finished work into the target branch"),
    "clean": Verb("Finish", "finish", "clean", "Remove the worktrees of landed work"),
    "rescue": Verb(
        "Finish", "rescue", "rescue", "List, show and restore the work that abreast has kept"
    ),
    "recover": Verb(
        "Finish", "recover", "recover", "Rebuild the records of a database that was lost or damaged"
    ),
    "handoff": Verb(
        "Finish", "handoff", "handoff", "Print what the next session needs to continue"
    ),
    "connect": Verb(
        "Machine", "connect", "connect", "Register the delegation tools in an agent's own CLI"
    ),
    "settings": Verb(
        "Machine", "settings", "settings", "Show each setting and where it comes from"
    ),
    "completion": Verb(
        "Machine", "completion", "completion", "Complete command lines in bash, zsh or fish"
    ),
    "schema": Verb(
        "Machine", "schema", "schema", "Print the JSON Schema of a verb's output or a file"
    ),
    "mcp": Verb("Machine", "machine", "mcp", "Serve the delegation tools over MCP (stdio)"),
    "worker": Verb("Machine", "machine", "worker", "Work through queued runs in the foreground"),
}


INSIDE = frozenset({"mcp", "tell", "schema", "completion"})
"""What there is inside a sandbox, where neither database nor state can be seen."""


def _refuse_inside(name: str) -> NoReturn:
    from abreast.errors import StateError

    hint = "there are the tools of `abreast mcp`, and `abreast tell`; for all else ask the user"
    raise StateError(f"`abreast {name}` is not to be had inside a session's sandbox", hint=hint)


class Verbs(click.Group):
    """A command group over `VERBS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        return VERBS[cmd_name].load() if cmd_name in VERBS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name in VERBS and name not in INSIDE and os.environ.get(BROKER):
            _refuse_inside(name)
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(name, VERBS, n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            ctx.fail(f"No such command '{name}'.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        wide = max(map(len, VERBS))
        for section in dict.fromkeys(verb.section for verb in VERBS.values()):
            rows = [(n.ljust(wide), v.line) for n, v in VERBS.items() if v.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)


def _show_version(ctx: click.Context, _option: Any, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        import abreast

        click.echo(f"abreast {abreast.__version__}")
        ctx.exit()


@click.command(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Completion in your shell: abreast completion install",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version",
)
def abreast() -> None:
    """Run coding-agent sessions side by side

    Each task gets an agent, a git worktree and a branch of its own. What is verified can land.
    """
