"""`abreast handoff`: what the next session needs to go on, as CURRENT_WORK.md."""

import os
import shlex
import sys
from functools import partial
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from abreast.agents import hooked
from abreast.cli import as_json, door, options
from abreast.cli.confirmed import change
from abreast.faces.figures import harmless
from abreast.model.changes import Connection
from abreast.model.handoff import TOKENS, Freshness, Handoff
from abreast.places import find_places

_CLIS = hooked()
_LEAST = 250  # tokens; the header and the headings take about a third of it


def _complete(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:
    files = [CompletionItem(begun, type="file")]
    return [*options.complete_session(ctx, param, begun), *files]


@click.command()
@click.argument(
    "source",
    metavar="[SESSION|TRANSCRIPT]",
    default="",
    shell_complete=_complete,
    help="RUN/TASK, a transcript's file, or a CLI's session id; without it the newest session here",
)
@click.option(
    "--all", "every", is_flag=True, help="List every session here that may need to be continued"
)
@click.option("--details", is_flag=True, help="With --all: print their handoffs, too")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write it to FILE, unless FILE is something else",
)
@click.option("--force", is_flag=True, help="Overwrite whatever FILE is")
@click.option(
    "--tokens",
    metavar="N",
    type=click.IntRange(min=_LEAST),
    default=TOKENS,
    show_default=True,
    help="Maximum size in tokens",
)
@click.option(
    "--with",
    "polish",
    metavar="AGENT",
    default="",
    shell_complete=options.complete_agent,
    help="Let an agent reword it; a text that changes facts is rejected",
)
@click.option(
    "--check", is_flag=True, help="Check whether a handoff (FILE, or CURRENT_WORK.md) is stale"
)
@click.option(
    "--hook",
    metavar="|".join(_CLIS),
    type=click.Choice(_CLIS),
    help="Make that CLI write one whenever a session ends",
)
@click.option("--remove", is_flag=True, help="With --hook: undo it")
@click.option("--yes", is_flag=True, help="With --hook: do not ask")
@click.option(
    "--hooked",
    metavar="|".join(_CLIS),
    type=click.Choice(_CLIS),
    help="Be that hook: the session that has ended is told on standard input",
)
@options.as_json
def handoff(
    *,
    source: str,
    every: bool,
    details: bool,
    out: Path | None,
    force: bool,
    tokens: int,
    polish: str,
    check: bool,
    hook: str | None,
    remove: bool,
    yes: bool,
    hooked: str | None,
    json: bool,
) -> int:
    """Print what the next session needs to continue

    Four sections, from the transcript and git, without a model: Right now, Why, Next step, Context
    when I return. Works for sessions of Claude Code, Codex and Gemini CLI that abreast or you have
    started, also after a crash or a quota stop. --check exits with 1 when a handoff is stale.

    \b
    Examples:
      abreast handoff --out CURRENT_WORK.md
      abreast handoff --check
      abreast handoff --hook claude
    """  # noqa: D301 (\b tells the help not to wrap what follows)
    from abreast.api import handing_over

    for wrong, what in (
        (every and (source or out or polish), "--all takes no session, no --out and no --with"),
        (every + check + bool(hook) > 1, "--all, --check and --hook are different things"),
        ((check or hook) and (out or polish), "--out and --with go with writing a handoff"),
        (hook and source, "--hook takes no session"),
        ((remove or yes) and not hook, "--remove and --yes go with --hook"),
        (force and not out, "--force goes with --out"),
        (details and not every, "--details goes with --all"),
    ):
        if wrong:
            raise click.UsageError(what)
    if hooked:
        return _ended()
    if hook:
        from abreast.api import connecting

        call = partial(connecting.hook_handoff, hook, remove=remove)
        return change(call, _told, yes=yes, json=json)
    if check:
        return _check(Path(source) if source else None, json=json)
    if every:
        return _show_all(handing_over.handoffs(tokens=tokens), details=details, json=json)
    return _show(
        handing_over.handoff(source, tokens=tokens, polish=polish), out, force=force, json=json
    )


def _show(found: Handoff, out: Path | None, *, force: bool, json: bool) -> int:
    from abreast.api import handing_over

    file = handing_over.write_handoff(found, out, force=force) if out else None
    if json:
        as_json.emit({"handoff": found, "file": file})
    elif file is None:
        click.echo(harmless(found.text), nl=False)
    else:
        click.echo(f"wrote {file} ({found.tokens} tokens)", err=True)
    for note in () if json else found.notes:
        click.echo(harmless(f"note: {note}"), err=True)
    return 0


def _show_all(found: list[Handoff], *, details: bool, json: bool) -> int:
    if json:
        as_json.emit({"handoffs": found})
        return 0
    if not found:
        click.echo("there is no session here that could be gone on with", err=True)
        return 0
    from abreast.cli.handoffs_list import handoffs_list

    door.console().print(handoffs_list(found), crop=False)
    if details:
        click.echo(harmless("\n" + "\n".join(one.text for one in found)), nl=False)
    else:
        name = shlex.quote(found[0].header.name)
        hint = f"abreast handoff {name} prints one, --details all"
        click.echo(harmless(f"next: {hint}"), err=True)
    return 0


def _check(file: Path | None, *, json: bool) -> int:
    from abreast.api import handing_over

    found = handing_over.check_handoff(file)
    if json:
        as_json.emit({"freshness": found})
    else:
        click.echo(harmless(_verdict(found)))
    return 1 if found.stale else 0


def _verdict(found: Freshness) -> str:
    if not found.stale:
        at = found.header.commit or "no commit"
        return f"fresh: {found.file} is of {at}, and nothing has changed since"
    return "\n".join([f"stale: {found.file}", *(f"  {reason}" for reason in found.reasons)])


def _told(found: Connection) -> str:
    if not found.changes:
        what = "has no handoff hook" if found.remove else "has its handoff hook already"
        return f"{found.agent} {what}; nothing to change"
    end = "when a session ends"
    what = "has no handoff hook any more" if found.remove else f"is to write a handoff {end}"
    return f"{found.agent} {what}"


def _ended() -> int:
    """Act as the hook: read the CLI's input, and print nothing that it could interpret."""
    from abreast.engine.client.connect import ending_hook

    ending_hook.ended(sys.stdin.read(), find_places(), os.environ)
    return 0
