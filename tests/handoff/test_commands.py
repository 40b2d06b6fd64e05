"""What a command line and its exit code say, and what they do not."""

import pytest

from abreast.handoff.commands import covers, only_asks, only_looks, overtakes, own_code


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
        ("pytest -x tests/a.py", "DB=1 pytest tests/a.py", False),
        ("pytest tests/a.py -v --tb=short -p no:cacheprovider", "pytest -q tests/a.py 2>&1", True),
        ("python -m pytest tests/a.py", "pytest tests/a.py", False),
        ("DB=lite pytest", "DB=full pytest", False),
        ("make", "make -s", False),
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


@pytest.mark.parametrize(
    ("later", "earlier", "overtaken"),
    [
        ("uv run pytest tests/a.py", ".venv/bin/pytest -q tests/a.py", True),
        ("python -m pytest -q", "pytest tests/a.py::test_b -x", True),
        ("ruff check && pytest", "pytest tests/a.py", True),
        ("pytest tests/b.py", "pytest tests/a.py", False),
        ("pytest | tail", "pytest tests/a.py", False),
        ("make", "make check", False),
    ],
)
def test_which_command_leaves_no_reason_to_go_on_with_another(later, earlier, overtaken):
    assert overtakes(later, earlier) is overtaken


@pytest.mark.parametrize(
    "command",
    [
        "python -c 'import yaml; yaml.x()'",
        "cd src && python3 - <<'EOF'\nimport os\nmake()\nEOF",
        "test -f setup.py && cat setup.py",
        "curl -s http://127.0.0.1:1/x | jq .",
        "git merge-base --is-ancestor a b",
        "node -e 'require(\"x\")'",
    ],
)
def test_commands_that_only_ask(command):
    assert only_asks(command)


@pytest.mark.parametrize(
    "command",
    ["pytest -q", "python -m pytest -c x.cfg", "python run.py", "test -f x || make", "git push"],
)
def test_commands_whose_failing_is_something_to_go_on_with(command):
    assert not only_asks(command)
