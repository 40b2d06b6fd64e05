"""What setup and verify are likely to be in a repository, by the files at its top.

Conventions of each tool: the lock file says which one installs, the tool's own word what tests.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

READ = (
    "pyproject.toml",
    "package.json",
    "Makefile",
    "makefile",
    "GNUmakefile",
    "justfile",
    "Justfile",
    "noxfile.py",
    "tox.ini",
)
"""The files whose text is looked into; of all others the name is enough."""


@dataclass(frozen=True)
class ProjectCommands:
    """Commands for a repository, "" where nothing is known, and the file that each comes from.

    `others` are further ones that the files speak of, each as (command, file).
    """

    setup: str = ""
    verify: str = ""
    setup_from: str = ""
    verify_from: str = ""
    others: tuple[tuple[str, str], ...] = ()


def propose(files: Mapping[str, str]) -> ProjectCommands:
    """Return what the files at the top of a repository, with their texts, let one expect.

    The project's own entry (a target `test` of its Makefile) counts before that of its language.
    """
    setups: list[tuple[str, str]] = []
    tests: list[tuple[str, str]] = []
    for look in (_make, _just, _python, _node, _rust, _go):
        for kind, command, file in look(files):
            (setups if kind == "setup" else tests).append((command, file))
    setup, verify = next(iter(setups), ("", "")), next(iter(tests), ("", ""))
    others = tuple(dict.fromkeys([*setups[1:], *tests[1:]]))
    return ProjectCommands(setup[0], verify[0], setup[1], verify[1], others)


Found = Iterator[tuple[str, str, str]]


def _make(files: Mapping[str, str]) -> Found:
    for name in ("GNUmakefile", "makefile", "Makefile"):  # in make's own order
        if name in files:
            targets = set(re.findall(r"^([\w.-]+)\s*:(?!=)", files[name], re.MULTILINE))
            if "test" in targets:
                yield "verify", "make test", name
            return


def _just(files: Mapping[str, str]) -> Found:
    for name in ("justfile", "Justfile"):
        if re.search(r"^@?test\b[^:=\n]*:(?!=)", files.get(name, ""), re.MULTILINE):
            yield "verify", "just test", name
            return


def _python(files: Mapping[str, str]) -> Found:
    project = _toml(files.get("pyproject.toml", ""))
    tools = project.get("tool")
    tools = tools if isinstance(tools, dict) else {}
    text = files.get("pyproject.toml", "")
    tested = "pytest" in text or "pytest.ini" in files or "conftest.py" in files
    runner = ""
    for lock, setup, run in (
        ("uv.lock", "uv sync", "uv run "),
        ("poetry.lock", "poetry install", "poetry run "),
        ("pdm.lock", "pdm install", "pdm run "),
        ("Pipfile.lock", "pipenv sync --dev", "pipenv run "),
    ):
        if lock in files:
            yield "setup", setup, lock
            runner = run
            break
    else:
        if "pyproject.toml" in files and ("project" in project or "build-system" in project):
            yield "setup", _pip(project, files), "pyproject.toml"
            runner = ".venv/bin/python -m "
        elif "requirements.txt" in files:
            install = "python3 -m venv .venv && .venv/bin/pip install -q -r requirements.txt"
            yield "setup", install, "requirements.txt"
            runner = ".venv/bin/python -m "
    if tested and runner:
        yield "verify", f"{runner}pytest -q", "pyproject.toml"
    # They test with many versions and environments, one after the other.
    if "noxfile.py" in files:
        yield "verify", "nox", "noxfile.py"
    if "tox.ini" in files or "tox" in tools:
        yield "verify", "tox", "tox.ini" if "tox.ini" in files else "pyproject.toml"


_REQUIREMENTS = ("requirements-dev.txt", "requirements-test.txt", "requirements.txt")


def _pip(project: Mapping[str, Any], files: Mapping[str, str]) -> str:
    table = project.get("project")
    extras = table.get("optional-dependencies") if isinstance(table, dict) else None
    extras = extras if isinstance(extras, dict) else {}
    groups = project.get("dependency-groups")
    groups = groups if isinstance(groups, dict) else {}
    names = ("tests", "test", "testing", "dev")
    extra = next((f"[{name}]" for name in names if name in extras), "")
    group = next((f" --group {name}" for name in names if name in groups), "")
    listed = next((f" -r {name}" for name in _REQUIREMENTS if name in files), "")
    more = group or ("" if extra else listed)
    return f"python3 -m venv .venv && .venv/bin/pip install -q -e '.{extra}'{more}"


def _node(files: Mapping[str, str]) -> Found:
    if "package.json" not in files:
        return
    tool = "npm"
    for lock, name, install in (
        ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
        ("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
        ("bun.lock", "bun", "bun install --frozen-lockfile"),
        ("bun.lockb", "bun", "bun install --frozen-lockfile"),
        ("package-lock.json", "npm", "npm ci"),
    ):
        if lock in files:
            tool = name
            yield "setup", install, lock
            break
    else:
        yield "setup", "npm install", "package.json"
    try:
        package = json.loads(files["package.json"])
    except (ValueError, RecursionError):
        return
    scripts = package.get("scripts") if isinstance(package, dict) else None
    test = scripts.get("test") if isinstance(scripts, dict) else None
    # What `npm init` writes is no test.
    if isinstance(test, str) and "no test specified" not in test:
        yield "verify", "bun run test" if tool == "bun" else f"{tool} test", "package.json"


def _rust(files: Mapping[str, str]) -> Found:
    if "Cargo.toml" in files:
        yield "verify", "cargo test", "Cargo.toml"


def _go(files: Mapping[str, str]) -> Found:
    if "go.mod" in files:
        yield "verify", "go test ./...", "go.mod"


def _toml(text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}
