"""What a command line and its exit code say, and what they do not."""

import pytest

from abreast.handoff.commands import covers, only_looks, own_code


@pytest.mark.parametrize(
    "command",
    [
        "ls -la",
        "cat a.py | head -20",
        "cd src && grep -rn hello . | wc -l",
        "git status --short && git diff",
        "find . -name '*.py' 2>/dev/null",
        "PAGER=cat git log -3",
    ],
)
def test_commands_that_only_look(command):
    assert only_looks(command)


@pytest.mark.parametrize(
    "command",
    [
        "pytest -q",
        "cat a > b",
        "cd src && make",
        "find . -name '*.pyc' -delete",
        "git commit -m x",
        "git branch -D old",
        "cat $(touch x)",
        "echo done",
        "ls 'unclosed",
        "ls | xargs rm",
        "",
    ],
)
def test_commands_that_do_more(command):
    assert not only_looks(command)


@pytest.mark.parametrize(
    ("later", "earlier", "covered"),
    [
        ("pytest -q", "pytest -q", True),
        ("pytest -q && ruff check", "pytest -q", True),
        ("cd /repo && pytest -q", "pytest  -q", True),
        ("pytest -q tests/a.py", "pytest -q", False),
        ("pytest -q; echo done", "pytest -q", False),
        ("pytest -q || true", "pytest -q", False),
        ("pytest -q | tail", "pytest -q", False),
        ("echo pytest -q", "pytest -q", False),
        ("make a long one that was cut…", "make a long one that was cut…", False),
    ],
)
def test_which_command_shows_that_another_passes_now(later, earlier, covered):
    assert covers(later, earlier) is covered


def test_the_exit_code_of_a_pipe_is_that_of_its_end():
    assert own_code("make && make test")
    assert not own_code("make test | tail")
    assert not own_code("make test; true")
