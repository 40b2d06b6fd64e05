"""Tasks on the command line: a text is what it says, from wherever it comes."""

import io
import sys
import tempfile

import click
import pytest
from click.testing import CliRunner

from abreast.cli import prompts
from abreast.errors import StateError


def given(*arguments: str, stdin: str | bytes = "") -> list[str]:
    """Return the texts that a command line comes to; raises what click raises."""
    found: list[str] = []

    @click.command(cls=prompts.TaskCommand)
    @prompts.option
    @click.option("--land")
    def command(*, tasks: tuple[str, ...], land: str | None) -> None:
        assert land in {None, "pr"}
        found.extend(prompts.texts_of(tasks))

    runner = CliRunner()
    done = runner.invoke(command, arguments, input=stdin, standalone_mode=False)
    if done.exception:
        raise done.exception
    return found


def test_texts_files_and_standard_input(tmp_path):
    file = tmp_path / "task.md"
    file.write_bytes(b"\xef\xbb\xbfDo c.\nAs follows.\n")
    found = given("-t", "Do a.", "-t", f"@{file}", "-t", "-", "-t", " @x: do d.", stdin="Do b.\n")
    assert found == ["Do a.", "Do c.\nAs follows.\n", "Do b.\n", " @x: do d."]
    assert given("-t", "- Do a.\n- Do b.", "--land", "pr") == ["- Do a.\n- Do b."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-t", "@no-such-file"), "there is no file no-such-file"),
        (("-t", "-", "-t", "-"), "standard input can be read once"),
        (("-t", "@" + 300 * "x"), "cannot be read: File name too long"),
        (("-t", "@~nobody-of-that-name/x"), "there is no file ~nobody-of-that-name/x"),
        (("-t",), "there is no terminal for an editor"),
        (("-t", "--land", "pr"), "there is no terminal for an editor"),
        (("--task", "--land=pr"), "there is no terminal for an editor"),
    ],
)
def test_what_cannot_be_read_is_told(arguments, said):
    with pytest.raises(click.UsageError, match=said):
        given(*arguments)


def test_a_file_that_is_no_text_is_told(tmp_path):
    (tmp_path / "bad").write_bytes(b"\xff\xfe")
    with pytest.raises(click.UsageError, match="it is not UTF-8"):
        given("-t", f"@{tmp_path / 'bad'}")
    with pytest.raises(click.UsageError, match="there is no file"):
        given("-t", f"@{tmp_path}")
    with pytest.raises(click.UsageError, match="standard input is not UTF-8"):
        given("-t", "-", stdin=b"\xff\xfe")


@pytest.mark.parametrize(("writes", "said"), [("echo 'Do e.' >", ["Do e.\n"]), ("true", None)])
def test_an_editor_is_opened_at_a_terminal(monkeypatch, tmp_path, writes, said):
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\n{writes} "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    if said:
        assert list(prompts.texts_of(["\0"])) == said
    else:
        with pytest.raises(click.UsageError, match="nothing was written"):
            prompts.texts_of(["\0"])


def test_what_was_written_in_an_editor_is_kept_when_nothing_starts(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(StateError), prompts.kept(["x", "\0"], ["x", "Do e.\n"]):
        raise StateError("no")
    [told] = capsys.readouterr().err.splitlines()
    assert given(*told.partition(": ")[2].split()) == ["Do e.\n"]


def test_an_editor_that_is_no_command_is_told(monkeypatch):
    monkeypatch.setenv("VISUAL", "editor 'left open")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    with pytest.raises(click.UsageError, match="is no command: No closing quotation"):
        prompts.texts_of(["\0"])
