"""What is not ours reaches a terminal without its escapes, whichever verb prints it."""

import ast
import contextlib
import io
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import abreast
from abreast import api
from abreast.cli.app import VERBS
from abreast.cli.door import Door
from abreast.cli.edge import guard
from abreast.model.moves import Say, Shell, Sleep
from abreast.model.task import AgentChoice
from abreast.model.text import escaped
from abreast.places import find_places
from tests.cli.test_edge import abreast as run_abreast
from tests.cli.test_running import here  # noqa: F401  (a fixture)
from tests.support.recorded_homes import install
from tests.support.repos import Repo
from tests.support.stage import Stage, task

SOURCE = Path(abreast.__file__).parent
CALLS = {"print", "Console", "rich.console.Console", "rich.print"}
SICK = Path(__file__).parents[1] / "recordings/doctor/recorded"
AROUND = {"sys.__stdout__", "sys.__stderr__", "sys.stdout.buffer", "sys.stderr.buffer"}
# What has the door in it, and programs of their own, which answer another program over a pipe.
OTHER_PROGRAMS = {
    "cli/door.py",
    "cli/console.py",
    "agents/scripted_player.py",
    "engine/reading/ledger/cores.py",
}

# A title, the clipboard, a link, a cleared screen, a colour of which we have none, a device
# control string, the same as one byte each, a bell, steps back, marks that reorder, hide or are
# tags; behind each its own letter, to see that it has been printed at all.
PLANTED = (
    "\x1b]0;pwn\x07a\x1b]52;c;cHdu\x1b\\b\x1b]8;;http://pwn\x1b\\c\x1b]8;;\x1b\\\x1b[2Jd\x1b[35;5me"
    "\x1bPpwn\x1b\\f\x9b2Jg\x9d0;pwn\x9ch\x07i\x08\x08j\u202ek\u2066l\u200bm\ufeffn\U000e0041o\x7fp"
    "\x1bcq\x85r\u2028s\x0ct"
)
ONE_LINE = PLANTED[PLANTED.index("i\x08") : PLANTED.index("\x1bcq")]
SEEN = re.compile(r"i.?.?j.?k.?l.?m.?n.?o.?p", re.DOTALL)  # of it, however it was made harmless
# What we print ourselves: styles, but not theirs, and what rich draws a live view with.
OURS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|[0-9]*[AGH]|\?1049[hl])")
ACTS = re.compile(
    "[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)


class Screen:
    """A terminal in the place of this process's standard streams, and what it has been sent."""

    def __init__(self) -> None:
        self._ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (50, 100))
        settings = termios.tcgetattr(theirs)
        settings[1] &= ~termios.OPOST  # so that no return is added
        termios.tcsetattr(theirs, termios.TCSANOW, settings)
        self._theirs = theirs
        self._sent = b""
        self._then = (b"", b"")
        self.code = 0  # of the latest command
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def resize(self, columns: int) -> None:
        termios.tcsetwinsize(self._theirs, (50, columns))

    def run(self, *arguments: str, keys: str = "", then: tuple[str, str] = ("", "")) -> str:
        """Return all that a command line prints on this terminal.

        `keys` are typed ahead; `then` is a text, and the keys that are typed once it is there.
        """
        self._then = (then[0].encode(), then[1].encode())
        os.write(self._ours, keys.encode())
        before = sys.stdin, sys.stdout, sys.stderr
        streams = [open(os.dup(self._theirs), mode, encoding="utf-8") for mode in "rww"]  # noqa: PTH123, SIM115
        sys.stdin, sys.stdout, sys.stderr = streams
        began = len(self._sent)
        try:
            self.code = guard(arguments)
        finally:
            sys.stdin, sys.stdout, sys.stderr = before
            for stream in streams:
                stream.close()
        mark = os.urandom(8).hex().encode()
        os.write(self._theirs, mark)
        # Something that is still on its way may come after the mark.
        while (end := self._sent.find(mark, began)) < 0:
            self._reading.join(0.01)
        return self._sent[began:end].decode()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # the other end is closed
            while chunk := os.read(self._ours, 65536):
                self._sent += chunk
                text, keys = self._then
                if text and text in self._sent:
                    self._then = (b"", b"")
                    os.write(self._ours, keys)

    def close(self) -> None:
        os.close(self._theirs)
        self._reading.join()
        os.close(self._ours)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Screen]:
    for name in ("NO_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("GIT_PAGER", "cat")
    made = Screen()
    yield made
    made.close()


def acting(shown: str) -> list[str]:
    """What a terminal was sent that is neither text nor an escape of our own."""
    return [repr(found) for found in ACTS.findall(OURS.sub("", shown))] + re.findall(
        "\x1b.35;5", shown
    )


def plan_of(folder: Path) -> Path:
    """A plan whose agents, commands and descriptions print what is planted."""
    text = in_toml(PLANTED)
    printing = in_toml(f"printf %s '{PLANTED}'; printf %s '{PLANTED}' >&2; exit 1")
    named = in_toml(f"b-{PLANTED.replace('/', '').replace(chr(0x85), '')}.txt")
    path = folder / "plan.toml"
    content = f"""
base = {in_toml(BRANCH)}
[[task]]
id = "writes"
produces = {text}
prompt = {text}
agent.scripted = [
  {{ write = {named}, text = {text} }}, {{ write = "seen.txt", text = {text} }},
  {{ shell = {printing} }}, {{ say = {text} }},
]
[[task]]
id = "fails"
produces = "Nothing."
paths = [{named}]
prompt = "Fail."
agent.scripted = [{{ fail = {text} }}]
[[task]]
id = "verified"
produces = "Nothing."
paths = [{named}]
prompt = "Be verified."
verify = {printing}
agent.scripted = [{{ write = "x.txt", text = "x" }}]
[[task]]
id = "asks"
produces = {text}
prompt = "Ask."
agent.scripted = [{{ say = {in_toml(f"Is it {ONE_LINE}, or what?")} }}]
[[task]]
id = "commanded"
produces = "Nothing."
prompt = "Be a program."
agent.command = {printing}
"""
    path.write_text(content)
    return path


def in_toml(text: str) -> str:
    odd = (c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in text)
    return f'"{"".join(odd)}"'


NAME = PLANTED.replace("/", "")
BRANCH = "m\u202ea\u009b2Ji\u200bn"


@pytest.fixture
def stage(here: Repo, scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:  # noqa: F811
    """Escapes in every kind of text that is not ours: branch, transcripts, settings, programs."""
    here.git("branch", BRANCH)
    for agent in ("claude", "codex"):
        install(scratch_home, agent, "plain")
    shutil.copytree(SICK / "claude-two-corrections", scratch_home, dirs_exist_ok=True)
    for record in scratch_home.rglob("*.jsonl"):
        plant(record)
    (scratch_home / ".claude.json").write_text(
        json.dumps({PLANTED: PLANTED, "mcpServers": {}, "z": PLANTED}, indent=1, ensure_ascii=False)
    )
    programs = scratch_home / "bin"
    programs.mkdir()
    for name in ("claude", "codex", "gemini"):
        (programs / name).write_text(f"#!/bin/sh\nprintf '1.2.%s\\n' '{PLANTED}'\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with Stage(find_places().make(), here) as made:
        yield made


def plant(record: Path) -> None:
    """Put escapes into every text of a transcript but those that its reader goes by."""
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    record.write_text("".join(json.dumps(_planted(line)) + "\n" for line in lines))


def _planted(value: object, key: str = "") -> object:
    if isinstance(value, dict):
        return {name: _planted(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_planted(inner, key) for inner in value]
    by = {"type", "role", "timestamp", "sessionId", "id", "uuid", "parentUuid", "cwd", "name"}
    free = isinstance(value, str) and key not in by and not key.endswith("_id")
    return f"{value} {PLANTED}" if free else value


def test_no_verb_lets_an_escape_through_to_a_terminal(
    stage: Stage, screen: Screen, scratch_home: Path, tmp_path: Path
) -> None:
    shown: dict[str, str] = {}
    unseen: dict[str, str] = {}  # which would prove nothing

    def look(*arguments: str, keys: str = "") -> str:
        text = screen.run(*arguments, keys=keys)
        shown[" ".join(arguments)] = text
        return text

    def sees(*arguments: str, keys: str = "") -> None:
        text = look(*arguments, keys=keys)
        if not SEEN.search(OURS.sub("", text)):
            unseen[" ".join(arguments)] = text

    plan = str(plan_of(tmp_path))
    sees("run", plan)
    run = api.find_run().id
    broken = tmp_path / "broken.toml"
    broken.write_text(f"[[task]]\nid = {in_toml(PLANTED)}\n")
    look("run", str(broken))
    look("run", "-t", "x", "--base", PLANTED)
    sees("check", plan)
    look("check", plan, "--json")
    sees("check", PLANTED)
    look("check", "--review", run)
    look("check", "--review", PLANTED)
    look("open", "mine", "--agent", "scripted", "--base", PLANTED)
    sees("run", PLANTED)
    sees("status", run)
    look("status", "--all")
    sees("watch", run)
    sees("logs", "writes")
    sees("logs", "commanded")
    look("logs", "writes", "--stream")
    look("logs", "writes", "--json")
    sees("show", "writes")
    look("show", "writes", "--json")
    look("answer", keys="q\n")
    sees("answer", NAME)
    sees("answer", "asks", keys="s\n")
    look("answer", "--json")
    look("init", keys="n\nn\n")
    look("settings")
    look("settings", "set", "verify", PLANTED)
    sees("settings")
    look("settings", "trust")
    look("rescue")
    look("recover")
    look("rescue", "list", "--json")
    look("rescue", "show", f"{run}/verified")
    sees("rescue", "show", PLANTED)
    look("path", "writes")
    look("edit", "writes")
    look("conflicts", run)
    look("conflicts", "--all-worktrees")
    sees("diff", "writes")
    look("diff", "writes", "--json")
    look("diff", "writes", "--stat")
    sees("diff", "writes", "--as-merged")
    sees("handoff", "writes")
    look("handoff", "--all")
    sees("handoff", "--check", PLANTED)
    for record in scratch_home.rglob("*.jsonl"):
        look("handoff", str(record))
    for by in ("day", "session", "run", "agent", "model"):
        look("ledger", "--by", by)
    look("ledger", "--json")
    look("doctor", "--since", "900w")
    look("doctor", "--since", "900w", "--json")
    sees("agents")
    for agent in ("claude", "codex", "gemini"):
        look("connect", agent, keys="n\n")
    look("handoff", "--hook", "claude", keys="n\n")
    child = api.delegate(
        "Which?",
        returns="bullets",
        agent=AgentChoice(
            "scripted",
            moves=(Say(json.dumps({"bullets": [PLANTED], "nothing_found": None})),),
        ),
        repo=stage.repo.path,
    )
    sees("collect", child.id)
    look("collect", child.id, "--json")
    look("delegate", PLANTED, "--agent", "scripted", "--dry-run")
    look("delegate", "What?", "--agent", "scripted", "--returns", PLANTED)
    busy = stage.start(task("busy", AgentChoice("scripted", moves=(Sleep(60),))))
    look("attach", f"{busy.id}/busy")
    sees("tell", f"{busy.id}/{PLANTED}", "x")
    look("tell", f"{busy.id}/busy", PLANTED, "--wait", "0")
    sees("answer", f"{busy.id}/{PLANTED}", "x")
    look("stop", busy.id)
    for verb in ("stop", "resume", "retry", "land", "clean", "collect", "logs"):
        sees(verb, NAME)
    look("worker", NAME)
    look("land", run)
    look("clean")
    look("mcp", "--json")
    look("ui", "--json")
    look("serve", "--port", PLANTED)
    look("schema", PLANTED)
    look("completion", PLANTED)
    look("demo", "--agent", PLANTED)
    sees(PLANTED)
    assert {words.partition(" ")[0] for words in shown} >= {*VERBS}
    assert unseen == {}
    assert {words: found for words, text in shown.items() if (found := acting(text))} == {}


def test_a_pipe_gets_the_diff_byte_by_byte(
    here: Repo,  # noqa: F811
    scratch_home: Path,
) -> None:
    files = {
        "latin.txt": "caf\u00e9\r\n".encode("latin-1") * 3,
        "wide.txt": "\u65e5\u672c\n".encode("utf-16"),
        "nul.bin": bytes(range(256)) * 20,
        "lone.txt": b"a\rb\x1b]0;pwn\x07\xff\xfe\n\xed\xb3\xbf no end",
        'na\u00efve \t"q".txt': b"\xe2\x80\xa8\x85\x0c\n",
    }
    for name, content in files.items():
        (here.path / name).write_bytes(content.replace(b"\n", b"\n1\n"))
    here.git("add", "-A")
    here.git("commit", "-qm", "before")
    stage = Stage(find_places().make(), here)
    writes = (Shell(f"cp -r {shlex.quote(str(scratch_home / 'after'))}/. ."), Say("done"))
    (scratch_home / "after").mkdir()
    for name, content in files.items():
        (scratch_home / "after" / name).write_bytes(content)
    with stage:
        run = stage.run(task("one", AgentChoice("scripted", moves=writes)))
    diff = subprocess.run(
        [sys.executable, "-m", "abreast", "diff", "one"], capture_output=True, check=True
    ).stdout
    subprocess.run(["git", "apply", "--index", "-"], input=diff, cwd=here.path, check=True)
    assert here.git("write-tree") == here.git("rev-parse", f"{run.sessions[0].commit}^{{tree}}")
    assert {name: (here.path / name).read_bytes() for name in files} == files
    said = json.loads(run_abreast("diff", "one", "--json").stdout)["diff"]
    assert os.fsencode(said) == diff


def test_a_document_says_the_same_with_everything_unseen_written_out() -> None:
    said = {PLANTED: [PLANTED, "\udc9b half \U0001f468\u200d\U0001f4bb \u65e5\u672c"]}
    document = escaped(json.dumps(said, ensure_ascii=False))
    assert json.loads(document) == said
    assert not ACTS.search(document)
    assert "\u65e5\u672c" in document
    assert document.encode()  # no half character is left


def test_a_door_keeps_what_is_written_in_pieces_harmless() -> None:
    behind = io.StringIO()
    door = Door(behind)
    door.buffer.write("é".encode()[:1])
    door.buffer.write("é".encode()[1:])
    for piece in ("\x1b", "[2J", "\x9b", "2J"):
        door.write(piece)
    assert behind.getvalue() == "é[2J2J"


def test_nothing_prints_around_the_door() -> None:
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        for node in () if name in OTHER_PROGRAMS else ast.walk(ast.parse(path.read_text())):
            part = node.func if isinstance(node, ast.Call) else node
            words = ast.unparse(part) if isinstance(part, ast.Name | ast.Attribute) else ""
            if words in AROUND or (isinstance(node, ast.Call) and words in CALLS):
                found.append(f"{name}:{node.lineno}: {words}")
    assert found == []
