"""`abreast settings`: what counts and where it comes from, changed or said yes to."""

import json as jsons
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from abreast.cli import as_json, options
from abreast.faces.figures import one_line
from abreast.model.text import escaped

_WIDE = 40  # columns for a value; a longer one pushes what follows to the right


@click.group(invoke_without_command=True)
@options.repo
@options.as_json
@click.pass_context
def settings(ctx: click.Context, *, repo: Path | None, json: bool) -> int:
    """Show each setting and where it comes from

    Of a setting in several places counts, in this order: the command line, the environment
    (ABREAST_AGENT and so on), the plan, the project's abreast.toml, your own config.toml, the
    default. A project's file is read from the commit that the sessions start from.
    """
    if ctx.invoked_subcommand is not None:  # whose options these are, if they come first
        ctx.default_map = {ctx.invoked_subcommand: {"repo": repo, "json": json}}
        return 0
    from abreast.api import configuring

    found = configuring.settings_page(repo=repo)
    if json:
        as_json.emit(found)
        return 0
    each, asked = found.settings, found.asked
    rows = [(one.key, shown(one.value), f"{one.level} {_short(one.place)}") for one in each]
    heads = ("setting", "value", "from")
    wide = [max(len(row[at]) for row in (heads, *rows)) for at in range(2)]
    for key, value, source in (heads, *rows):
        click.echo(f"{key.ljust(wide[0])}  {value.ljust(min(wide[1], _WIDE))}  {source}".rstrip())
    if found.uncommitted:
        click.echo("note: abreast.toml has changes that count once they are committed", err=True)
    if asked:
        click.echo(f"abreast.toml also asks for {', '.join(asked)}, which wait for a yes", err=True)
        click.echo("hint: abreast settings trust shows them and asks you", err=True)
    return 0


def _complete_key(
    ctx: click.Context,  # noqa: ARG001 (click's signature)
    param: click.Parameter,  # noqa: ARG001
    begun: str,
) -> list[CompletionItem]:
    from abreast.plan.settings import settings_of

    return [CompletionItem(one.key) for one in settings_of((), "") if one.key.startswith(begun)]


@settings.command("set")
@click.argument("key", shell_complete=_complete_key)
@click.argument("value")
@click.option("--project", is_flag=True, help="In the project's abreast.toml, not in your own file")
@options.repo
@options.as_json
def set_(*, key: str, value: str, project: bool, repo: Path | None, json: bool) -> int:
    """Write a setting, such as: limits.minutes 30

    An empty value takes it away. Comments stay.
    """
    from abreast.api import configuring

    file, now = configuring.set_setting(key, value, project=project, repo=repo)
    if json:
        as_json.emit({"file": str(file), "key": key, "value": now})
        return 0
    click.echo(f"{file}: {key} = {shown(now)}" if now is not None else f"{file}: without {key}")
    if project:
        click.echo("it counts once it is committed", err=True)
    return 0


@settings.command()
@click.option("--yes", "-y", is_flag=True, help="Do not ask")
@click.option("--base", metavar="REV", default="", help="The commit that has them; without it HEAD")
@options.repo
@options.as_json
def trust(*, yes: bool, base: str, repo: Path | None, json: bool) -> int:
    """Say yes to what the project's abreast.toml asks for

    It counts for exactly these values. Whatever is changed later asks again.
    """
    from abreast.api import configuring

    asked = configuring.asked_settings(repo=repo, base=base or "HEAD")
    agreed = bool(asked) and (yes or (not json and ask(asked)))
    if agreed:
        configuring.trust_settings(repo=repo, base=base, shown=asked)
    if json:
        as_json.emit({"asked": asked, "trusted": agreed})
    elif not asked:
        click.echo("nothing waits for a yes", err=True)
    return 0 if agreed or not asked else 1


def ask(asked: Mapping[str, Any]) -> bool:
    """Show what a project asks for, and ask a person at a terminal; False when nobody is there."""
    for key, value in asked.items():
        click.echo(f"  {key} = {literal(value)}", err=True)
    if not sys.stdin.isatty():
        click.echo("hint: `abreast settings trust --yes` says yes without asking", err=True)
        return False
    return click.confirm("abreast.toml of this repository asks for these. Use them?", err=True)


def literal(value: Any) -> str:
    """Return all of a value on one line: nothing of it is folded, and what acts is escaped."""
    if isinstance(value, str) and value and one_line(value) == value:
        return value
    return escaped(jsons.dumps(value, ensure_ascii=False))


def _short(place: str) -> str:
    """Return a path with `~` for the home folder."""
    home = str(Path.home())
    return one_line(f"~{place[len(home) :]}" if place.startswith(f"{home}/") else place)


def shown(value: Any) -> str:
    """Return a value on one line, a text without quotes."""
    if isinstance(value, str):
        return one_line(value) or "-"
    if isinstance(value, Mapping):
        return one_line(next((str(v) for v in value.values()), "-"))
    if isinstance(value, float):
        return f"{value:g}"
    return one_line(jsons.dumps(value, ensure_ascii=False))
