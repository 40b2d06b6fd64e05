"""Setup and verify are guessed from the files at the top of a repository, by their conventions."""

import pytest

from abreast.plan.project import ProjectCommands, propose

PIP = "python3 -m venv .venv && .venv/bin/pip install -q"


@pytest.mark.parametrize(
    ("files", "setup", "verify"),
    [
        ({}, "", ""),
        ({"README.md": ""}, "", ""),
        ({"Makefile": "all: x\ntest: all\n\tpytest\n"}, "", "make test"),
        ({"Makefile": "test := x\nall:\n"}, "", ""),
        ({"justfile": "set shell := ['sh']\n\ntest *args: build\n  pytest\n"}, "", "just test"),
        ({"justfile": "testing:\n"}, "", ""),
        (
            {"pyproject.toml": "[tool.pytest.ini_options]", "uv.lock": ""},
            "uv sync",
            "uv run pytest -q",
        ),
        (
            {"pyproject.toml": "[tool.tox]\n[tool.pytest]", "poetry.lock": ""},
            "poetry install",
            "poetry run pytest -q",
        ),
        (
            {"pyproject.toml": "[project]\noptional-dependencies = { test = ['pytest'] }"},
            f"{PIP} -e '.[test]'",
            ".venv/bin/python -m pytest -q",
        ),
        (
            {"pyproject.toml": "[project]\n[dependency-groups]\ndev = ['pytest']"},
            f"{PIP} -e '.' --group dev",
            ".venv/bin/python -m pytest -q",
        ),
        (
            {"pyproject.toml": "[project]\n[tool.pytest]", "requirements.txt": ""},
            f"{PIP} -e '.' -r requirements.txt",
            ".venv/bin/python -m pytest -q",
        ),
        ({"pyproject.toml": "[tool.ruff]"}, "", ""),
        ({"pyproject.toml": "not = = toml", "noxfile.py": ""}, "", "nox"),
        (
            {"package.json": '{"scripts": {"test": "vitest"}}', "pnpm-lock.yaml": ""},
            "pnpm install --frozen-lockfile",
            "pnpm test",
        ),
        (
            {"package.json": '{"scripts": {"test": "echo no test specified && exit 1"}}'},
            "npm install",
            "",
        ),
        ({"package.json": "{", "package-lock.json": ""}, "npm ci", ""),
        ({"package.json": "[]", "bun.lockb": ""}, "bun install --frozen-lockfile", ""),
        ({"Cargo.toml": ""}, "", "cargo test"),
        ({"go.mod": ""}, "", "go test ./..."),
    ],
)
def test_what_files_let_one_expect(files: dict[str, str], setup: str, verify: str) -> None:
    found = propose(files)
    assert (found.setup, found.verify) == (setup, verify)


def test_the_projects_own_entry_comes_first_and_others_are_named() -> None:
    files = {"Makefile": "test:\n", "Cargo.toml": "", "package.json": '{"scripts": {"test": "x"}}'}
    assert propose(files) == ProjectCommands(
        "npm install",
        "make test",
        "package.json",
        "Makefile",
        (("npm test", "package.json"), ("cargo test", "Cargo.toml")),
    )
