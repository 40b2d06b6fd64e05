"""Write what the docs quote from the program: `docs/commands.md`. With --check, only compare."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from abreast.cli.app import VERBS, abreast

COMMANDS = Path(__file__).with_name("commands.md")

HEAD = """\
# Commands

`docs/generate.py` generates this page from the program; `make docs` updates it.

A command prints its result to standard output and its progress to standard error. `--json`
prints the answer as JSON with `"schema": 1`: keys are added to it, but none changes its meaning. An
error is a document too, `{"schema": 1, "error": {"kind": …, "message": …, "hint": …}}`, beside its
text on standard error. `abreast schema VERB` prints the JSON Schema of what a verb prints.
A name of a run may be shortened as long as it stays unique. A session is `RUN/TASK`.

| exit code | meaning |
|---|---|
| 0 | done; for `run`, `watch`, `resume`, `retry` and `land`: every task is done |
| 1 | not done, or an error that you can fix: see the message and its hint |
| 2 | invalid command line |
| 3 | a bug in abreast: the message names a report file |
| 130 | interrupted; a run that was being shown continues |

| variable | meaning |
|---|---|
| `ABREAST_STATE_DIR` | where runs, worktrees and logs are kept |
| `ABREAST_DB` | the database, as a URL; without it a file in that folder |
| `ABREAST_MAX_SESSIONS` | the most sessions at once, over all runs; 100 without it |
| `ABREAST_IDLE_EXIT` | seconds without work until the worker ends; 30 without it |
| `ABREAST_AGENTS` | files of more agents, divided as in PATH (for tests, and to embed abreast) |
| `ABREAST_CONFIG` | the file of your [settings](settings.md) |
| `ABREAST_AGENT` and so on | options of `abreast run`: [settings](settings.md#which-one-counts) |
| `NO_COLOR` | no colours |

Completion, for bash, zsh or fish: `abreast completion install`.
"""


def main() -> int:
    text = "\n".join(lines())
    if "--check" not in sys.argv[1:]:
        COMMANDS.write_text(text, encoding="utf-8")
    elif COMMANDS.read_text(encoding="utf-8") != text:
        print("docs/commands.md is not current\nhint: make docs", file=sys.stderr)
        return 1
    return 0


def lines() -> Iterator[str]:
    """Yield the lines of `commands.md`."""
    yield HEAD
    for section in dict.fromkeys(verb.section for verb in VERBS.values()):
        yield f"## {section}\n"
        for name, verb in VERBS.items():
            if verb.section == section:
                yield from describe(name, verb.load())


def describe(name: str, command: click.Command) -> Iterator[str]:
    """Yield the lines about one verb."""
    with click.Context(abreast, info_name="abreast") as parent:
        context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"### abreast {name}\n"
    yield f"```\n{usage}\n```\n"
    first, *rest = paragraphs(inspect.cleandoc(command.help or ""))
    yield f"{first}.\n"
    for paragraph in rest:
        yield f"{paragraph}\n"
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            yield f"- `{record[0]}`: {record[1]}"
    yield ""
    for inner, one in getattr(command, "commands", {}).items():
        yield from describe(f"{name} {inner}", one)


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; what must not be wrapped becomes a code block."""
    for block in text.split("\n\n"):
        if block.startswith("\b\n"):
            _, title, *code = block.splitlines()
            yield "\n".join([title, "", "```", *(line.strip() for line in code), "```"])
        else:
            yield block


if __name__ == "__main__":
    sys.exit(main())
