"""What a session in a sandbox can ask for on its socket, and what a hostile one does not get."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from abreast.mcp_server.wire import LONGEST
from abreast.places import Places
from abreast.process.environment import BROKER, CONFINED, DEPTH, SESSION
from abreast.process.supervisor import reap_orphans
from abreast.runner import broker as brokers
from abreast.runner.broker import Broker
from abreast.runner.broker_client import short_name
from abreast.store.reader import Reader
from tests.mcp_server.client import connected, refused
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import make_repo
from tests.support.stage import Stage, scripted, task, until

DEEP = "d" * 60
"""Folders of state may lie deeper than the name of a Unix socket may be long."""


def outside(places: Places, session: str, **more: str) -> dict[str, str]:
    """The variables that a runner gives to what it starts in the name of a session."""
    state = {"ABREAST_STATE_DIR": str(places.state), "ABREAST_DB": places.database}
    ordinary = {name: os.environ[name] for name in ("PATH", "HOME")}
    return {**ordinary, **state, SESSION: session, "ABREAST_MCP_WAIT": "0", **more}


def inside(path: Path) -> dict[str, str]:
    """The variables of a process in a sandbox: nothing says where the state is, which is absent."""
    nowhere = {"ABREAST_STATE_DIR": "/proc/nowhere", "ABREAST_DB": "sqlite:////proc/nowhere"}
    return {"PATH": os.environ["PATH"], "HOME": "/proc/nowhere", **nowhere, BROKER: str(path)}


@contextmanager
def serving(folder: Path, environ: dict[str, str], cwd: Path, top: int = 0) -> Iterator[Path]:
    place = folder / DEEP / DEEP
    place.mkdir(parents=True)
    broker = Broker(place / "socket", cwd=str(cwd), environ=environ, top=top)
    try:
        yield place / "socket"
    finally:
        broker.close()
        assert not (place / "socket").exists()


@contextmanager
def client(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as made, short_name(path) as name:
        made.connect(name)
        made.settimeout(SECONDS)
        yield made


def says(path: Path, said: bytes) -> bytes:
    """What a client gets that says this, to the end."""
    with client(path) as made:
        try:
            made.sendall(said)
            return b"".join(iter(lambda: made.recv(65_536), b""))
        except (BrokenPipeError, ConnectionResetError):
            return b""


def tell(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "abreast", "tell", *words],
        env=inside(path),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_a_message_goes_out_in_the_sessions_name_and_no_further(
    shared_stage: Stage, tmp_path: Path
) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    far = make_repo(tmp_path / "far")
    run = stage.start(task("one", scripted(until(gate))), task("two", scripted(until(gate))))
    with Stage(stage.places, far) as other:
        elsewhere = other.start(task("far", scripted(until(gate))))
        two = stage.until(f"{run.id}/two", lambda one: one.worktree and one.state == "running")
        other.until(f"{elsewhere.id}/far", lambda one: one.state == "running")
        tree = Path(two.worktree)
        # What lies in the folder of the session is data: no module, no configuration of it counts.
        trap, evil = tmp_path / "trap", f"open({str(tmp_path / 'trap')!r}, 'w')\n"
        for name in ("abreast.py", "json.py", "sitecustomize.py", "click.py"):
            (tree / name).write_text(evil)
        with serving(tmp_path, outside(stage.places, two.id), tree) as path:
            heard = tell(path, f"{run.id}/one", "Hello. $(touch trap) `x` 'y'\n\x1b[2J--json")
            assert heard.returncode == 1
            assert "cannot receive messages while it runs" in heard.stderr
            refused = tell(path, f"{elsewhere.id}/far", "Hello.")
            assert f"{elsewhere.id}/far is at work in another repository" in refused.stderr
            assert tell(path, "--json", f"{run.id}/one", "Hello.").returncode == 1
        assert not trap.exists()
        gone = tell(path, f"{run.id}/one", "Hello.")
        assert gone.returncode == 1
        assert "does not answer" in gone.stderr
        gate.touch()
        other.wait(elsewhere.id)
    stage.wait(run.id)


def test_the_tools_are_there_as_outside(shared_stage: Stage, tmp_path: Path) -> None:
    """Its children are its own, whoever it says it is; those of others it does not see."""
    stage, gate = shared_stage, tmp_path / "gate"
    run = stage.start(task("one", scripted(until(gate))))
    one = stage.until(f"{run.id}/one", lambda one: one.worktree)
    environ = outside(stage.places, one.id)

    async def scene(path: Path) -> None:
        lies = {**inside(path), SESSION: "other/session", CONFINED: "", DEPTH: ""}
        async with connected(tmp_path, lies) as session:
            listed = await session.list_tools()
            assert {"delegate", "tell", "collect"} <= {tool.name for tool in listed.tools}
            named = await refused(session, "delegate", question="Why?", agent="command")
            assert "agent" in named
            outside_it = await refused(session, "delegate", question="Why?", scope=["/etc/passwd"])
            assert "/etc/passwd" in outside_it
            assert "no" in await refused(session, "collect", id=run.id)
            assert "another parent" in await refused(session, "more", id=run.id)

    with serving(tmp_path, environ, Path(one.worktree)) as path:
        asyncio.run(scene(path))
    gate.touch()
    stage.wait(run.id)


def test_a_child_has_no_tools_there_either(shared_stage: Stage, tmp_path: Path) -> None:
    async def scene(path: Path) -> None:
        async with connected(tmp_path, inside(path)) as session:
            assert (await session.list_tools()).tools == []

    environ = outside(shared_stage.places, "run/1", **{DEPTH: "1"})
    with serving(tmp_path, environ, shared_stage.repo.path) as path:
        asyncio.run(scene(path))


LONG = "x" * (brokers.TEXT + 1)
TELL = {"verb": "tell", "session": "a/b", "text": "Hi."}


@pytest.mark.parametrize(
    "said",
    [
        '{"verb": "run", "plan": "x"}',
        '{"verb": "answer", "session": "a/b", "text": "yes"}',
        '{"verb": "mcp", "cwd": "/"}',
        '{"verb": "mcp"}\n{"verb": "mcp"}',
        '{"verb": ["tell"]}',
        '{"verb": "tell"}',
        json.dumps({**TELL, "sender": "other/session"}),
        json.dumps({**TELL, "env": {"ABREAST_SESSION": ""}}),
        json.dumps({**TELL, "session": 1}),
        json.dumps({**TELL, "wait": "1"}),
        json.dumps({**TELL, "wait": True}),
        '{"verb": "tell", "session": "a/b", "text": "Hi.", "wait": NaN}',
        '{"verb": "tell", "session": "a/b", "text": "Hi.", "wait": 1' + "0" * 4000 + "}",
        json.dumps({**TELL, "json": 1}),
        json.dumps({**TELL, "text": "a\0b"}),
        json.dumps({**TELL, "text": "\ud83d"}),
        json.dumps({**TELL, "text": LONG}),
        "{" * 100_000,
        "{nonsense",
    ],
)
def test_all_else_is_refused(tmp_path: Path, said: str) -> None:
    with serving(tmp_path, {"PATH": ""}, tmp_path) as path:
        answer = json.loads(says(path, said.encode() + b"\n"))
    assert (answer["code"], answer["out"]) == (2, "")
    assert answer["err"].startswith("error: ")


@pytest.mark.parametrize(
    "said",
    [b"{" + b"x" * 2 * brokers.LINE, b"GET / HTTP/1.1\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\n\r\n"],
)
def test_what_is_no_request_gets_nothing(tmp_path: Path, said: bytes) -> None:
    with serving(tmp_path, {"PATH": ""}, tmp_path) as path:
        assert says(path, said) == b""


def test_who_says_nothing_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "_PATIENCE", 0.1)
    with serving(tmp_path, {"PATH": ""}, tmp_path) as path, client(path) as quiet:
        quiet.sendall(b'{"verb":')
        assert quiet.recv(1) == b""


def test_there_are_only_so_many(tmp_path: Path) -> None:
    with serving(tmp_path, {"PATH": ""}, tmp_path) as path:
        with contextlib.ExitStack() as clients:
            for _ in range(brokers.CONNECTIONS):
                clients.enter_context(client(path))
            eventually(lambda: says(path, b'{"verb": "x"}\n') == b"", "one more is not served")
        eventually(lambda: says(path, b'{"verb": "x"}\n') != b"", "they have gone")


def test_only_so_many_servers_run_and_each_ends_with_its_client(
    shared_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers, "COMMANDS", 2)
    environ = outside(shared_stage.places, "run/1")

    def servers() -> list[psutil.Process]:
        return [p for p in psutil.Process().children() if _words(p)[-1:] == ["mcp"]]

    with serving(tmp_path, environ, shared_stage.repo.path) as path:
        with client(path) as first, client(path) as second:
            for one in (first, second):
                one.sendall(b'{"verb": "mcp"}\n')
                assert b'"code": 0' in one.recv(100)
            assert b"more than" in says(path, b'{"verb": "mcp"}\n')
            eventually(lambda: len(servers()) == 2, "each is the program that it is to be")
        eventually(lambda: servers() == [], "they leave with their clients")
        with client(path) as third:
            third.sendall(b'{"verb": "mcp"}\n')
            assert b'"code": 0' in third.recv(100)
            third.sendall(b"x" * (LONGEST + 65_536))
            assert b"a message has at most" in third.recv(1000)
        with client(path) as last:  # is ended with the session
            last.sendall(b'{"verb": "mcp"}\n')
            assert b'"code": 0' in last.recv(100)
    assert servers() == []


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_who_is_not_below_the_session_is_not_served(tmp_path: Path) -> None:
    """Another session of the same user, without a sandbox, say: its socket is not theirs."""
    with subprocess.Popen(["sleep", "600"]) as session:
        try:
            with serving(tmp_path, {"PATH": ""}, tmp_path, top=session.pid) as path:
                assert says(path, b'{"verb": "x"}\n') == b""
        finally:
            session.kill()
    with serving(tmp_path / "own", {"PATH": ""}, tmp_path) as path:
        code = f"import sys; sys.path[:0] = {sys.path!r}; from tests.runner.test_broker import *;"
        code += f"print(says(Path({str(path)!r}), b'{{}}\\n').decode())"
        below = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        assert b'"code": 2' in below.stdout


def test_its_commands_are_not_reaped_by_who_reaps_orphans(tmp_path: Path) -> None:
    """Else their exit codes would be lost, and a message that was refused would look sent."""
    place = tmp_path / "socket"
    broker = Broker(place, cwd="/", environ={"PATH": os.environ["PATH"]})
    answers: list[bytes] = []
    done = _in_thread(lambda: answers.append(says(place, json.dumps(TELL).encode() + b"\n")))
    late = time.monotonic() + SECONDS
    while not done() and time.monotonic() < late:
        with broker.held() as commands:
            reap_orphans(spare=commands)
    broker.close()
    assert json.loads(answers[0])["code"] == 1


def _in_thread(work: Callable[[], object]) -> Callable[[], bool]:
    thread = threading.Thread(target=work)
    thread.start()
    return lambda: not thread.is_alive()


def test_nothing_was_asked_of_the_database(shared_stage: Stage, tmp_path: Path) -> None:
    before = len(Reader(shared_stage.places.database).runs(limit=1000))
    environ = outside(shared_stage.places, "run/1")
    with serving(tmp_path, environ, shared_stage.repo.path) as path:
        for verb in ("run", "resume", "delegate", "land", "stop"):
            assert b"there are" in says(path, json.dumps({"verb": verb}).encode() + b"\n")
    assert len(Reader(shared_stage.places.database).runs(limit=1000)) == before
