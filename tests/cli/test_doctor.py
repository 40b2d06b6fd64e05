"""`abreast doctor` at a terminal and for programs."""

import json
import re
import subprocess
import sys
import time

import pytest

from abreast.cli import findings
from abreast.model.finding import Diagnosis, Evidence, Finding, Severity
from tests.cli.drawing import console, text_of


@pytest.fixture
def run(tmp_path):
    def run(home, *options):
        environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "COLUMNS": "80", "TZ": "UTC"}
        (tmp_path / "cwd").mkdir(exist_ok=True)
        return subprocess.run(
            [sys.executable, "-m", "abreast", "doctor", *options],
            cwd=tmp_path / "cwd",
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_healthy_week_is_one_line(home, run):
    done = run(home("codex-reading"))
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 7 * 86_400))
    assert done.stdout == f"all is well in 1 session since {day}\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_a_sick_one_says_what_why_and_what_to_do(home, run):
    done = run(home("codex-read-alone"))
    told = re.sub(
        r"codex \S+, \d\d-\d\d \d\d:\d\d,", "codex 01a204d5-c603, 11-22 19:57,", done.stdout
    )
    assert told.splitlines()[:-1] == [
        "Much reading for a short conclusion",
        "  warning, 42,858 tokens  read-alone",
        (
            "  codex 01a204d5-c603, 11-22 19:57, line 9: about 42,858 tokens read by 2 calls"
            " for an answer of about 4, then carried through 3 requests"
        ),
        (
            "  why Everything that was read stays in the context, is sent again with every"
            " later request, and distracts from what comes next."
        ),
        (
            "  fix Delegate such a question, and keep only the answer: `abreast delegate"
            " QUESTION -s PATH`."
        ),
        "",
    ]
    assert told.splitlines()[-1].startswith("1 finding (1 warning) in 1 session since ")
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("name", "level", "code"),
    [
        ("codex-read-alone", "severe", 0),
        ("codex-read-alone", "warning", 1),
        ("gemini-no-shape", "warning", 0),
        ("gemini-no-shape", "info", 1),
        ("codex-reading", "info", 0),
    ],
)
def test_the_exit_code_says_whether_anything_is_that_bad(name, level, code, home, run):
    assert run(home(name), "--fail-on", level, "--json").returncode == code


def test_json_has_everything(home, run):
    found = json.loads(run(home("gemini-many-children"), "--json").stdout)
    assert found["schema"] == 1
    assert (found["sessions"], found["children"], found["runs"]) == (1, 10, 0)
    [finding] = found["findings"]
    assert (finding["id"], finding["severity"]) == ("many-children", "warning")
    assert finding["cost_tokens"] == 90_000
    [one] = finding["evidence"]
    assert one["numbers"] == {"children": 10, "start_up": 90_000}
    assert one["path"].endswith(".jsonl")
    assert one["agent"] == "gemini"


@pytest.mark.parametrize("span", ["7", "soon", "-1d", "d", "7y", "1.5d"])
def test_what_is_no_span_is_refused(span, tmp_path, run):
    done = run(tmp_path, "--since", span)
    assert done.returncode == 2
    assert "is not a span of time: write 7d, 12h or 2w" in done.stderr


def test_since_leaves_out_what_is_older(home, run):
    import os

    place = home("codex-read-alone")
    [file] = place.rglob("*.jsonl")
    os.utime(file, (time.time() - 2 * 86_400,) * 2)
    assert run(place, "--since", "24h").stdout.startswith("all is well in 0 sessions")
    assert run(place, "--since", "3d").stdout.startswith("Much reading")


def _finding(*evidence: Evidence, **more) -> Finding:
    values = {"id": "x", "severity": Severity.SEVERE, "title": "X", "why": "y", "fix": "z"}
    return Finding(**(values | more), evidence=evidence)


def test_much_evidence_is_cut_and_a_command_is_not():
    command = "git config --file " + "/long/path" * 12 + "/config core.bare false"
    finding = _finding(*(Evidence(f"one {n}", command=command) for n in range(5)))
    on = console(80)
    for line in findings.lines_of(finding, on):
        on.print(line, no_wrap=True, overflow="ignore", crop=False)
    lines = text_of(on).splitlines()
    assert lines.count(f"    {command}") == 3
    assert "  and 2 more; --json lists all" in lines


def test_foreign_text_cannot_repaint_the_terminal():
    text = "in \x1b[2J\x1b]0;x\x07 a\nfile [bold]"
    finding = _finding(Evidence(text, agent="claude", session="\x1b[31mid"))
    lines = [line.plain for line in findings.lines_of(finding, console(80))]
    assert not any("\x1b" in line or "\n" in line for line in lines)
    assert "[bold]" in "".join(lines)


def test_the_last_line_counts_by_severity():
    found = Diagnosis(
        (_finding(), _finding(severity=Severity.INFO), _finding()), 0.0, sessions=2, runs=1
    )
    told = findings.closing(found).plain
    assert told.startswith("3 findings (2 severe, 1 info) in 2 sessions, 1 run since ")
