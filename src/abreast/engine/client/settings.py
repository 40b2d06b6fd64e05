"""The files of settings: the user's, and the project's at the commit that a run starts from.

A project's file is somebody else's word. What would make more run or let more out counts only
after a person has said yes to exactly that; see `abreast.plan.settings.HARMLESS`.
"""

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from abreast.agents import AGENTS
from abreast.engine.common.settings_files import MOST, text_of, too_large, user_layers
from abreast.errors import AbreastError, PlanError, Problem, StateError, UntrustedError
from abreast.git.repository import Repository, find_repository
from abreast.model.sandbox import SandboxSettings
from abreast.places import Places
from abreast.plan.explain import did_you_mean
from abreast.plan.options import NO_OVERRIDES, VARIABLES, Overrides, variable_of
from abreast.plan.settings import (
    Layer,
    Level,
    Setting,
    combine,
    digest_of,
    flat,
    needs_yes,
    read_layer,
    sandbox_of,
    settings_of,
)
from abreast.process.files import load_as, write_atomic, write_json

PROJECT_FILE = "abreast.toml"
_TRUSTED = "trusted.json"
_LOCK = "trusted.lock"
_WRITING = "settings.lock"
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # what some editors begin a file with


@dataclass(frozen=True)
class EffectiveSettings:
    """The layers that count, the lowest first, and what of the project's file waits for a yes.

    `asked` is nested as in the file.
    """

    layers: tuple[Layer, ...]
    asked: Mapping[str, Any]
    repository: Repository | None = None
    base: str = ""  # the commit that has the project's file

    @property
    def values(self) -> dict[str, Any]:
        """What they come to, nested as in a plan."""
        return combine(self.layers)

    def require_trusted(self) -> None:
        """Raise UntrustedError when something waits for a yes."""
        if self.asked and self.repository is not None:
            raise UntrustedError(str(self.repository.place), self.base, dict(flat(self.asked)))

    def each(self, options: Overrides = NO_OVERRIDES) -> list[Setting]:
        """Return every setting with the value that counts; `options` are the environment's."""
        given = (
            Layer(Level.ENVIRONMENT, variable_of(key), {key: value})
            for key in VARIABLES
            if (value := getattr(options, key))
        )
        return settings_of((*self.layers, *given), next(iter(AGENTS)))


def read_settings(
    repository: Repository | None, base: str, places: Places, environ: Mapping[str, str]
) -> EffectiveSettings:
    """Return the user's settings, and the project's at the commit `base`.

    Raises PlanError for what cannot be read, every problem by line and key.
    """
    layers = user_layers(environ)
    if repository is None:
        return EffectiveSettings(tuple(layers), {})
    try:
        if not (committed := _committed(repository, base)):
            return EffectiveSettings(tuple(layers), {})
        found = read_layer(committed, Path(PROJECT_FILE), Level.PROJECT, tuple(AGENTS))
    except PlanError as error:  # whoever mends the file in the checkout has to commit it
        what = f"the settings of commit {base[:12]}"
        raise PlanError(error.problems, what=what) from error
    asked = needs_yes(found.values)
    if asked and not _is_trusted(asked, repository, places):
        calm = {key: value for key, value in found.values.items() if key not in asked}
        return EffectiveSettings(
            (*layers, Layer(Level.PROJECT, PROJECT_FILE, calm)), asked, repository, base
        )
    return EffectiveSettings((*layers, found), {}, repository, base)


def user_sandbox(environ: Mapping[str, str]) -> SandboxSettings:
    """Return what the user's settings say about the sandbox; raises PlanError."""
    return sandbox_of(user_layers(environ))


def trust(settings: EffectiveSettings, places: Places) -> None:
    """Note that a person has said yes to what waits for it."""
    if settings.repository is None or not settings.asked:
        return
    places.make()
    with FileLock(places.state / _LOCK, mode=0o600):  # two may say yes at once
        known, name = _trusted(places), str(settings.repository.common_dir)
        digests = dict.fromkeys([digest_of(settings.asked), *known.get(name, ())])
        write_json(places.state / _TRUSTED, {**known, name: [*digests][:_KEPT]})


def checkout_layer(tree: Path) -> Layer:
    """Return the project's settings as the checkout `tree` has them, of which nothing is trusted.

    Raises PlanError.
    """
    text = text_of(tree / PROJECT_FILE)
    if not text:
        return Layer(Level.PROJECT)
    return read_layer(text, Path(PROJECT_FILE), Level.PROJECT, tuple(AGENTS))


def asked_of(file: Path, repository: Repository, places: Places) -> EffectiveSettings:
    """Return what a project's file, as it is in the checkout, asks for and waits for a yes."""
    found = read_layer(text_of(file), file, Level.PROJECT, tuple(AGENTS))
    asked = needs_yes(found.values)
    waits = asked and not _is_trusted(asked, repository, places)
    return EffectiveSettings((found,), asked if waits else {}, repository)


def is_uncommitted(folder: Path, places: Places) -> bool:
    """Return whether a checkout has a project's file that is not as in its HEAD."""
    try:
        repository = find_repository(folder, worktrees=places.worktrees)
        here = text_of(project_file(repository))
        return bool(here) and here.split() != _committed(repository, "HEAD").split()
    except AbreastError:  # without a repository or a file of its own there is nothing to commit
        return False


_KEPT = 50  # versions of one project's settings: of a branch, of the next one


def _is_trusted(asked: Mapping[str, Any], repository: Repository, places: Places) -> bool:
    return digest_of(asked) in _trusted(places).get(str(repository.common_dir), ())


def _trusted(places: Places) -> dict[str, list[str]]:
    return load_as(dict[str, list[str]], places.state / _TRUSTED) or {}


def _committed(repository: Repository, base: str) -> str:
    """Return the project's file as the commit has it, "" when it has none."""
    name = f"{base}:{PROJECT_FILE}"
    query = ("cat-file", "--batch-check=%(objecttype) %(objectsize)")
    asked = repository.call(*query, stdin=f"{name}\n")
    kind, _, size = asked.stdout.strip().partition(" ")
    if kind != "blob" or not size.isdigit():
        return ""
    if int(size) > MOST:
        raise PlanError([too_large(PROJECT_FILE)], what="the settings")
    return repository.call("cat-file", "blob", name).stdout.removeprefix(_BOM)


def set_value(key: str, value: str, places: Places, *, file: Path, level: Level) -> Any:
    """Write one setting to a file, or take it away with "", and return what it is now.

    Comments and layout stay, and what others of this state folder write at the same time. Raises
    PlanError, and changes nothing, for a key or value that means nothing.
    """
    places.make()
    with FileLock(places.state / _WRITING, mode=0o600):
        return _set_value(key, value, file, level)


def _set_value(key: str, value: str, file: Path, level: Level) -> Any:
    text = text_of(file)
    if text:
        read_layer(text, file, level, tuple(AGENTS))
    key = "sandbox.mode" if key == "sandbox" else key
    known = [one.key for one in settings_of((), "")]
    if key not in known:
        hint = did_you_mean(key, known, "keys are")
        raise PlanError([Problem(key, "unknown key", hint)], what="the settings")
    problem: PlanError | None = None
    for meant in _meanings(value):
        changed = _with(text, key.split("."), meant)
        try:
            read_layer(changed, file, level, tuple(AGENTS))
        except PlanError as error:
            problem = error
        else:
            _write(file, changed)
            return meant
    raise problem or StateError(f"{key} cannot be {value}")


def _with(text: str, keys: Sequence[str], value: Any) -> str:
    """Return a file's text with another value for a key; without the key for None."""
    import tomlkit

    document: Any = tomlkit.parse(text)
    table = document
    for key in keys[:-1]:
        if value is None and key not in table:
            return text
        if isinstance(table.get(key), str):  # the short form of a table
            table[key] = tomlkit.inline_table().append("mode", table[key])
        table = table.setdefault(key, tomlkit.table())
    if value is None:
        table.pop(keys[-1], None)
    else:
        table[keys[-1]] = value
    written = str(tomlkit.dumps(document))
    return written if text else written.lstrip("\n")  # an empty line comes before a first table


def _meanings(value: str) -> Sequence[Any]:
    """Return what a value on the command line may mean: a text, or what TOML makes of it."""
    if not value:
        return (None,)
    try:
        return (value, tomllib.loads(f"value = {value}")["value"])
    except (ValueError, RecursionError):
        return (value,)


def _write(file: Path, text: str) -> None:
    if str(file) == os.devnull:
        raise StateError(f"{file} cannot be written", hint="ABREAST_CONFIG names your settings")
    target = file.resolve()  # people link such files to where they keep them
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        write_atomic(target, text, mode=mode)
    except OSError as error:
        raise StateError(f"{file} cannot be written: {error.strerror}") from error


def project_file(repository: Repository) -> Path:
    """Return the project's file in the checkout; raises StateError where there is no checkout.

    Also raises it for a link: commits hold where it leads, so it never counts, and it may lead out
    of the repository.
    """
    if repository.toplevel is None:
        raise StateError(f"{repository.place} has no checkout to write {PROJECT_FILE} in")
    file = repository.toplevel / PROJECT_FILE
    if file.is_symlink():
        raise StateError(f"{file} is a link, and a project's settings are a file of its own")
    return file
