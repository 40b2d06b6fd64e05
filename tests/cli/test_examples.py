"""Every command line that the documentation shows is one that abreast understands."""

import re
import shlex
from pathlib import Path

import click
import pytest

from abreast.cli.app import VERBS

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
CODE = re.compile(r"^(?: {4}|\$ )(.*\babreast .*)$", re.MULTILINE)
INLINE = re.compile(r"`(abreast [^`]*)`")


def commands(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    shown = [part for line in CODE.findall(text) for part in re.split(r"\s{2,}", line)]
    found = [*shown, *INLINE.findall(prose)]
    lines = (part.split("  #")[0].strip().removeprefix(".venv/bin/") for part in found)
    return [line for line in lines if line.startswith("abreast ") and "…" not in line]


def test_there_are_examples() -> None:
    assert len(commands("README.md")) >= 12


@pytest.mark.parametrize("page", PAGES)
def test_examples_are_understood(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plan.toml").write_text("")
    (tmp_path / "PLAN").write_text("")
    monkeypatch.chdir(tmp_path)
    for line in commands(page):
        words = shlex.split(line, comments=True)[1:]
        if not words or words[0].startswith("-"):
            continue
        assert words[0] in VERBS, f"{page}: {line}"
        plain = [word.strip("[]") for word in words[1:]]
        assert not (wrong := usage_error(words[0], plain)), f"{page}: {line}: {wrong}"


def usage_error(verb: str, words: list[str]) -> str:
    """What click would say; a verb without its argument, as in a sentence, is no whole call."""
    try:
        VERBS[verb].load().make_context(verb, words)
    except click.exceptions.Exit:  # --help
        return ""
    except click.UsageError as error:
        named = not words and isinstance(error, click.MissingParameter)
        return "" if named else error.format_message()
    return ""
