"""`abreast schema`: the published shapes of what verbs print, and of files that people write."""

import json as jsons

import click
from click.shell_completion import CompletionItem

from abreast.cli import as_json, options
from abreast.cli.app import VERBS

_FILES = ("plan", "abreast.toml")
"""The names of the files, beside those of the verbs."""


def _complete(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem]:  # noqa: ARG001 (click's signature)
    return [CompletionItem(name) for name in (*_FILES, *VERBS) if name.startswith(begun)]


@click.command()
@click.argument(
    "name",
    metavar="[VERB|plan|abreast.toml]",
    required=False,
    shell_complete=_complete,
    help="A verb, for what it prints with --json; plan, or abreast.toml (also for config.toml)",
)
@options.as_json
def schema(*, name: str | None, json: bool) -> int:
    """Print the JSON Schema of a verb's output or a file

    The dialect is draft 2020-12. With --json the schema is a part of a document of abreast's own.
    Without a name: all names. Editors check a plan by a first line such as
    `#:schema ./plan.schema.json`.

    \b
    Examples:
      abreast schema status
      abreast schema plan > plan.schema.json
    """  # noqa: D301 (\b tells the help not to wrap what follows)
    names = [*_FILES, *VERBS]
    if name is None:
        if json:
            as_json.emit({"names": names})
        else:
            click.echo("\n".join(names))
        return 0
    found = _schema(name)
    if json:
        as_json.emit({"name": name, "json_schema": found})
    else:
        click.echo(jsons.dumps(found, indent=2))
    return 0


def _schema(name: str) -> dict[str, object]:
    if name in _FILES:
        from abreast.api import configuring

        return configuring.file_schema("plan" if name == "plan" else "settings")
    if name not in VERBS:
        from abreast.plan.explain import did_you_mean

        near = did_you_mean(name, [*_FILES, *VERBS], "names are")
        raise click.UsageError(f"there is no schema of {name!r}: {near}")
    from abreast.cli.schemas import document_schema

    return document_schema(name)
