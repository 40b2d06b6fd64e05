"""Settings: what counts and where it comes from, change one, say yes to a project's."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from abreast.agents import AGENTS
from abreast.engine.client import initialising
from abreast.engine.client import settings as files
from abreast.engine.client.planning import settings_for
from abreast.engine.common.check import check_plan
from abreast.engine.common.settings_files import user_file
from abreast.errors import StateError
from abreast.git.repository import find_repository, resolve
from abreast.model.task import Plan
from abreast.places import Places, find_places
from abreast.plan.options import from_environment
from abreast.plan.project import ProjectCommands
from abreast.plan.settings import Level, Setting, SettingsPage, flat


def settings(*, repo: Path | None = None) -> list[Setting]:
    """Return every setting with the value that counts in a repository, and where it comes from.

    The project's are those of its HEAD. `repo` is by default the one around the current folder.
    Raises PlanError for a file that cannot be read, with every problem by line and key, and
    NotFoundError for a `repo` that is none.
    """
    return [*settings_page(repo=repo).settings]


def settings_page(*, repo: Path | None = None) -> SettingsPage:
    """Return the same, and what of the project's settings waits for a yes; each file is read once.

    Raises as `settings` does.
    """
    if repo:
        find_repository(repo, worktrees=find_places().worktrees)
    given = from_environment(os.environ, agents=tuple(AGENTS))
    found = settings_for(repo=repo)
    changed = files.is_uncommitted(repo or Path.cwd(), find_places())
    return SettingsPage(found.each(given), dict(flat(found.asked)), changed)


def asked_settings(*, repo: Path | None = None, base: str = "") -> dict[str, Any]:
    """Return what a project's settings at `base` (HEAD) ask for, waiting for a yes, by key.

    Raises NotFoundError for a `base` that is no commit; without one, nothing asks for anything.
    """
    if base:
        resolve(find_repository(repo or Path.cwd(), worktrees=find_places().worktrees), base)
    return dict(flat(settings_for(base=base, repo=repo).asked))


def trust_settings(
    *,
    repo: Path | None = None,
    base: str = "",
    shown: Mapping[str, Any] | None = None,
    places: Places | None = None,
) -> dict[str, Any]:
    """Say yes to what a project's settings at `base` (HEAD) ask for; return that, by dotted key.

    It counts for exactly these values: others ask again. `shown` is what a person has seen; raises
    StateError when the settings ask for something else by now.
    """
    found = settings_for(base=base, repo=repo)
    asked = dict(flat(found.asked))
    if shown is not None and shown != asked:
        raise StateError("the project's settings have changed meanwhile", hint="look again")
    files.trust(found, places or find_places())
    return asked


def set_setting(
    key: str,
    value: str,
    *,
    project: bool = False,
    repo: Path | None = None,
    places: Places | None = None,
) -> tuple[Path, Any]:
    """Write a setting to the user's file, or the `project`'s; return the file and the value.

    `value` is a text, or TOML where the key takes no text; "" takes the setting away. Comments
    stay. A project's file counts once it is committed. Raises PlanError for a key or value that
    means nothing.
    """
    places = places or find_places()
    if project:
        file = files.project_file(find_repository(repo or Path.cwd()))
        return file, files.set_value(key, value, places, file=file, level=Level.PROJECT)
    file = user_file(os.environ)
    return file, files.set_value(key, value, places, file=file, level=Level.USER)


def file_schema(name: Literal["plan", "settings"]) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a plan file, or of a file of settings."""
    from abreast.plan import json_schema

    kinds = {"plan": json_schema.plan_schema, "settings": json_schema.settings_schema}
    return kinds[name](tuple(AGENTS))


def propose(*, repo: Path | None = None) -> ProjectCommands:
    """Return the setup and verify commands that a repository's files let one expect."""
    return initialising.read_commands(find_repository(repo or Path.cwd()))


def trial(commands: ProjectCommands, *, repo: Path | None = None) -> Plan:
    """Return a plan that runs these commands once, in a fresh worktree."""
    plan = initialising.trial_of(commands, find_repository(repo or Path.cwd()))
    return check_plan(plan).plan


def init(
    commands: ProjectCommands, *, repo: Path | None = None, places: Places | None = None
) -> list[Path]:
    """Write `abreast.toml` and a first `plan.toml`; return what was written.

    What is there already stays. Raises StateError for what cannot be written.
    """
    found = find_repository(repo or Path.cwd())
    return initialising.write_files(commands, found, places or find_places())
