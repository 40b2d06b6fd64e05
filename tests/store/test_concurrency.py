"""Several processes use one database at once: no errors, nothing lost, no event out of order."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from abreast.model.session import RunState, SessionState
from abreast.store.reader import Reader
from tests.store.samples import make_run
from tests.support.deadlines import SECONDS

WRITERS = 4
EVENTS = 60

WRITER = """
import sys
from abreast.model.session import SessionState
from abreast.store.rows import SessionUpdate
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.writer import Store
url, number, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
engine = make_engine(url)
print("ready", flush=True)
input()
migrate(engine)
store = Store(engine)
from tests.store.samples import make_run
store.add_run(make_run(f"w{number}", tasks=1), "{}")
store.update_session(f"w{number}/t0", SessionUpdate(state=SessionState.PREPARING))
for turn in range(events):
    change = SessionUpdate(state=SessionState.RUNNING, turns=turn + 1)
    store.update_session(f"w{number}/t0", change, event=("tool", str(turn)))
    store.add_event("shared/t0", "tool", f"{number}.{turn}")
store.update_session(f"w{number}/t0", SessionUpdate(state=SessionState.DONE))
engine.dispose()
"""


def start(script, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def writers(database_url, store):
    store.add_run(make_run("shared", tasks=1), "{}")
    writers = [start(WRITER, database_url, n, EVENTS) for n in range(WRITERS)]
    yield writers
    for writer in writers:
        writer.kill()
        writer.communicate()


def release(processes):
    for process in processes:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()


def follow(reader, processes):
    """Read as `logs -f` does, until the processes have ended; return what was seen."""
    end = time.monotonic() + SECONDS
    seen = []
    while True:
        ended = all(process.poll() is not None for process in processes)
        seen += reader.events("shared/t0", after=seen[-1][0] if seen else 0)
        for run in reader.runs():
            assert all(session.task.startswith("t") for session in run.sessions)
        if ended:
            return [event.text for _, event in seen]
        assert time.monotonic() < end
        time.sleep(0.01)  # as one does who follows; the processor is for those that write


def test_writers_and_a_reader_at_once_lose_nothing(database_url, writers):
    reader = Reader(database_url)
    release(writers)
    seen = follow(reader, writers)
    assert [process.stderr.read() for process in writers] == [""] * WRITERS
    assert [process.returncode for process in writers] == [0] * WRITERS
    for number in range(WRITERS):
        assert [text for text in seen if text.startswith(f"{number}.")] == [
            f"{number}.{turn}" for turn in range(EVENTS)
        ]
        session = reader.session(f"w{number}/t0")
        assert (session.state, session.turns) == (SessionState.DONE, EVENTS)
        texts = [event.text for _, event in reader.events(f"w{number}/t0")]
        assert texts == ["preparing", *map(str, range(EVENTS)), "done"]


def test_a_new_database_may_be_opened_by_all_at_once(database_url):
    script = """
import sys
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
print("ready", flush=True)
input()
engine = make_engine(sys.argv[1])
migrate(engine)
engine.dispose()
"""
    processes = [start(script, database_url) for _ in range(WRITERS)]
    release(processes)
    ends = [(*process.communicate(), process.returncode) for process in processes]
    assert ends == [("", "", 0)] * WRITERS


def test_of_two_that_want_another_attempt_one_gets_it(database_url, store):
    script = """
import json, sys
from abreast.errors import StateError
from abreast.store.engine import make_engine
from abreast.store.writer import Store
store = Store(make_engine(sys.argv[1]))
print("ready", flush=True)
input()
got = []
for number in range(20):
    try:
        got.append((number, store.next_attempt(f"r1/t{number}")))
    except StateError:
        pass
store.engine.dispose()
print(json.dumps(got))
"""
    from abreast.store.rows import SessionUpdate

    store.add_run(make_run(tasks=20), "{}")
    for number in range(20):
        store.update_session(f"r1/t{number}", SessionUpdate(state=SessionState.FAILED))
    store.set_run_state("r1", RunState.FAILED)
    processes = [start(script, database_url) for _ in range(3)]
    release(processes)
    ends = [process.communicate() for process in processes]
    assert [stderr for _, stderr in ends] == [""] * 3
    got = sorted(tuple(one) for stdout, _ in ends for one in json.loads(stdout))
    assert got == [(number, 2) for number in range(20)]


def test_of_two_that_resume_at_one_moment_neither_is_refused(database_url, store, reader):
    script = """
import sys
from abreast.store.engine import make_engine
from abreast.store.writer import Store
store = Store(make_engine(sys.argv[1]))
print("ready", flush=True)
input()
store.resume("r1", {})
store.engine.dispose()
"""
    from abreast.store.rows import SessionUpdate

    store.add_run(make_run(tasks=20), "{}")
    for number in range(20):
        store.update_session(f"r1/t{number}", SessionUpdate(state=SessionState.FAILED))
    store.set_run_state("r1", RunState.FAILED)
    processes = [start(script, database_url) for _ in range(3)]
    release(processes)
    assert [process.communicate() for process in processes] == [("", "")] * 3
    run = reader.run("r1")
    assert (run.state, run.generation) == (RunState.QUEUED, 4)
    assert {session.attempt for session in run.sessions} == {2}


def test_of_processes_that_want_one_executor_id_one_gets_it(database_url, store):
    script = """
import sys
from abreast.errors import WorkerError
from abreast.store.engine import make_engine
from abreast.store.lease import acquire
engine = make_engine(sys.argv[1])
print("ready", flush=True)
input()
try:
    acquire(engine, "m1", ttl=60)
    print("mine", flush=True)
except WorkerError:
    print("held", flush=True)
input()
engine.dispose()
"""
    processes = [start(script, database_url) for _ in range(WRITERS)]
    release(processes)
    said = [process.stdout.readline().strip() for process in processes]
    for process in processes:
        _, stderr = process.communicate("end\n")
        assert stderr == ""
    assert sorted(said) == ["held"] * (WRITERS - 1) + ["mine"]
