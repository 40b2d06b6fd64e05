"""The screens, over sessions that really ran: what is shown, escaped, and done."""

import contextlib
import json
import re
from collections.abc import AsyncIterator

import pytest

from abreast.errors import StateError
from abreast.model.action import ActionKind
from abreast.model.moves import Write
from abreast.model.session import LandMode, LandState, SessionState
from tests.page.conftest import Serve
from tests.support.stage import Stage, scripted, task, until, writes

HOSTILE = '<script>alert("x")</script>\x1b]0;title\x07\u202e&'


def test_from_the_board_to_a_landing(shared_stage: Stage, serve: Serve) -> None:
    stage = shared_stage
    agent = scripted(Write("a<b>.py", "x = 1  # <i>\n"))
    run = stage.run(task("one", agent, produces=HOSTILE), land=LandMode.REVIEW)
    name = f"{run.id}/one"
    browser = serve(stage.places)
    browser.enter()
    board = browser.ask("/?q=one").text
    assert f'id="row-{name}"' in board
    path = f"/session/{name}"
    shown = {
        "session": browser.ask(path),
        "diff": browser.ask(f"{path}/diff"),
        "merged": browser.ask(f"{path}/diff?against=target"),
        "log": browser.ask(f"{path}/log"),
        "run": browser.ask(f"/run/{run.id}"),
        "confirm": browser.ask(f"{path}/do/land"),
    }
    for screen, answer in shown.items():
        assert answer.status == 200, (screen, answer.text)
        assert "<script>alert" not in answer.text
        assert not set("\x1b\x07\u202e").intersection(answer.text)
        assert not re.search(r"<[^>]+ (style|on\w+)=", answer.text), "the policy forbids them"
    assert "a&lt;b&gt;.py" in shown["session"].text
    assert '<span class="k-comment"># &lt;i&gt;</span>' in shown["diff"].text
    assert "moves main if it passes" in shown["confirm"].text
    assert "nothing has tested it" in shown["confirm"].text
    for screen in ("session", "log"):
        assert "its conversation begins" in shown[screen].text
    done = browser.post(f"{path}/do/land")
    assert (done.status, done.headers["location"]) == (303, path)
    assert stage.wait(run.id).sessions[0].landing is LandState.LANDED
    gone = browser.post(f"{path}/do/land")
    assert gone.status == 404
    assert "has moved on" in gone.text
    assert browser.ask(f"/session/{run.id}/none").status == 404


def test_what_changes_is_sent_in_parts(shared_stage: Stage, serve: Serve, tmp_path) -> None:
    stage, gate = shared_stage, tmp_path / "gate"
    run = stage.start(
        task("one", scripted(until(gate))), task("two", writes("two.txt"), after=("one",))
    )
    stage.until("one", lambda session: session.state is SessionState.RUNNING)
    browser = serve(stage.places)
    browser.enter()
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=60)
    headers = {"Host": browser.host, "Cookie": browser.cookie}
    connection.request("GET", f"/events?of=/run/{run.id}", headers=headers)
    stream = connection.getresponse()

    def patch() -> dict[str, object]:
        while not (line := stream.readline()).startswith(b"data: "):
            assert line, "the stream has ended"
        return json.loads(line[6:])

    first = patch()
    assert [*first["set"]] == first["order"]
    assert first["order"][:2] == ["head", "timeline"]
    gate.touch()
    seen = ""
    while "s-done" not in seen:
        later = patch()
        seen = later["set"].get(f"row-{run.id}/two", "")
    connection.close()
    stage.wait(run.id)


def test_streams_are_bounded(shared_stage: Stage, serve: Serve) -> None:
    import http.client

    from abreast.page.live import STREAMS

    browser = serve(shared_stage.places)
    browser.enter()
    headers = {"Host": browser.host, "Cookie": browser.cookie}
    kept = []
    for _ in range(STREAMS):
        connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=60)
        connection.request("GET", "/events?of=/", headers=headers)
        assert connection.getresponse().status == 200
        kept.append(connection)
    assert browser.ask("/events?of=/").status == 503
    assert browser.ask("/").status == 200
    for connection in kept:
        connection.close()


def test_a_stream_that_breaks_leaves_its_place(
    shared_stage: Stage, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    import http.client

    from abreast.page.live import STREAMS

    async def broken(*_: object) -> AsyncIterator[str]:
        raise StateError("the database is gone")
        yield ""

    browser = serve(shared_stage.places)
    browser.enter()
    headers = {"Host": browser.host, "Cookie": browser.cookie}

    def listen() -> int:
        connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", "/events?of=/", headers=headers)
            with connection.getresponse() as answer:
                with contextlib.suppress(http.client.IncompleteRead):
                    answer.readline()
                return answer.status

    with monkeypatch.context() as patch:
        patch.setattr("abreast.page.app.patches", broken)
        for _ in range(STREAMS):
            assert listen() == 200
    assert listen() == 200


def test_a_session_is_stopped_and_sent_on(shared_stage: Stage, serve: Serve, tmp_path) -> None:
    stage = shared_stage
    run = stage.start(task("one", scripted(until(tmp_path / "gate"))))
    stage.until("one", lambda session: session.state is SessionState.RUNNING)
    path = f"/session/{run.id}/one"
    browser = serve(stage.places)
    browser.enter()
    assert "ends its processes" in browser.ask(f"{path}/do/stop").text
    assert browser.post(f"{path}/do/stop").status == 303
    assert stage.wait(run.id).sessions[0].state is SessionState.STOPPED
    page = browser.ask(path).text
    kinds = set(re.findall(r'data-kind="(\w+)"', page))
    assert kinds == {ActionKind.REPLY, ActionKind.RESUME, ActionKind.RETRY}
    assert browser.post(f"{path}/answer", question=f"{run.id}/one#1.1", words="x").status in {
        404,
        409,
    }
    assert browser.post(f"{path}/answer", question="other/one#1.1", words="x").status == 404
    assert browser.post(f"{path}/answer", question="x", choice="nonsense").status == 400


def test_what_to_do_about_an_end_is_said_once(shared_stage: Stage, serve: Serve) -> None:
    run = shared_stage.run(task("red", writes("a.txt"), verify="false"))
    browser = serve(shared_stage.places)
    browser.enter()
    shown = browser.ask(f"/session/{run.id}/red").text
    assert shown.count(f"abreast logs {run.id}/red") == 1
