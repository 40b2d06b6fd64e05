"""A repository's first settings and plan: proposed from its files, tried, written."""

import os
from pathlib import Path

from abreast.agents import modelled
from abreast.engine.client.settings import (
    asked_of,
    project_file,
    set_value,
    trust,
)
from abreast.errors import StateError
from abreast.git.repository import Repository
from abreast.model.gate import GateMode
from abreast.model.task import AgentChoice, Plan, Task
from abreast.places import Places
from abreast.plan.project import READ, ProjectCommands, propose
from abreast.plan.settings import Level

PLAN_FILE = "plan.toml"
_MOST = 200_000  # bytes of a file that is looked into

_SETTINGS = """\
# What abreast does in this repository unless a plan or an option says otherwise.
# `abreast settings` shows all settings; docs: settings.md and plans.md of abreast.

{setup}
{verify}

# agent = {agents}
# land = "merge"          # what is done goes into the target by itself, tested as merged
# max_parallel = 4

# [limits]
# minutes = 60
"""

_PLAN = """\
# A first plan: `abreast check plan.toml` says which tasks are independent, `abreast run plan.toml`
# runs them side by side, each in a worktree of its own. Setup and verify are those of abreast.toml.

[[task]]
id = "first"
produces = "One sentence on what is there when this is done."
prompt = \"\"\"
What to do, as you would tell a colleague who has never seen this repository.
\"\"\"

[[task]]
id = "second"
produces = "Another sentence."
prompt = "A task that does not touch what the first one does."
# needs = ["first"]       # if it builds on the first one
"""


def read_commands(repository: Repository) -> ProjectCommands:
    """Return what the files at the top of a checkout let one expect.

    Raises StateError where there is no checkout.
    """
    top = project_file(repository).parent
    with os.scandir(top) as entries:
        names = [entry.name for entry in entries if entry.is_file()]
    return propose({name: _text(top / name) if name in READ else "" for name in names})


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST).decode("utf-8", "replace")
    except OSError:
        return ""


def trial_of(commands: ProjectCommands, repository: Repository) -> Plan:
    """Return a plan that runs setup and verify once, in a worktree, and changes nothing."""
    task = Task(
        "try",
        "Change nothing.",
        "Setup and verify are tried.",
        AgentChoice("command", command=":"),
        setup=commands.setup,
        verify=commands.verify,
        changes=False,
    )
    return Plan((task,), repo=str(repository.place), source="init", gate=GateMode.OFF)


def write_files(commands: ProjectCommands, repository: Repository, places: Places) -> list[Path]:
    """Write `abreast.toml` and a first plan; return what was written.

    A setting that is there already stays, as does a plan. What is written in `abreast.toml` needs
    no further yes, unless the file was there and asks for more.
    """
    settings, written = project_file(repository), []
    before = asked_of(settings, repository, places)
    if settings.exists():
        known = before.layers[0].values
        for key, value in (("setup", commands.setup), ("verify", commands.verify)):
            if value and key not in known:
                set_value(key, value, places, file=settings, level=Level.PROJECT)
                written = [settings]
    else:
        lines = {key: _line(key, getattr(commands, key)) for key in ("setup", "verify")}
        first, *others = (f'"{name}"' for name in modelled())
        agents = f"{first}        # or {', '.join(others)}"
        _create(settings, _SETTINGS.format(**lines, agents=agents))
        written = [settings]
    if written and not before.asked:
        trust(asked_of(settings, repository, places), places)
    plan = settings.parent / PLAN_FILE
    if not os.path.lexists(plan):
        _create(plan, _PLAN)
        written.append(plan)
    return written


def _line(key: str, value: str) -> str:
    import tomlkit

    return f"{key} = {tomlkit.string(value).as_string()}" if value else f'# {key} = "…"'


def _create(file: Path, text: str) -> None:
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise StateError(f"{file} cannot be written: {error.strerror}") from error
