"""The server over real sockets, with a dialect of plain text."""

import gzip
import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from abreast.loopback.dialect import REDACTED
from abreast.loopback.server import DIALECTS, Loopback
from abreast.model.moves import Drop, Fail, Hang, HttpError, Say, Scenario, Sleep, Spend, Write
from tests.loopback.plain import DIALECT
from tests.support.deadlines import SECONDS, eventually


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    with Loopback(dialects=[DIALECT]) as server:
        yield server


class Client:
    """One connection, kept alive for as long as the server lets it."""

    def __init__(self, server: Loopback, session: str = "") -> None:
        self.link = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=SECONDS)
        self.headers = {"Session-Id": session} if session else {}

    def post(self, *lines: str, **more: Any) -> http.client.HTTPResponse:
        body = json.dumps({"lines": lines, **more})
        self.link.request("POST", "/plain/turn", body, self.headers)
        return self.link.getresponse()

    def ask(self, *lines: str, **more: Any) -> tuple[int, str]:
        answer = self.post(*lines, **more)
        return answer.status, answer.read().decode()


@pytest.fixture
def client(loopback: Loopback) -> Iterator[Client]:
    client = Client(loopback)
    yield client
    client.link.close()


def raw(server: Loopback, request: bytes) -> bytes:
    """Everything the server sends until it closes the connection."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as link:
        link.sendall(request)
        return b"".join(iter(lambda: link.recv(65536), b""))


def test_a_scenario_is_played_over_one_connection(loopback: Loopback, client: Client) -> None:
    loopback.add(Scenario("demo", (Spend(7), Say("hi"), Write("a", "1"), Say("bye"))))
    assert client.ask("user: do demo", model="m1") == (
        200,
        "number: 0 m1 7\ntext: hi\ncall: Write(path='a', text='1')\nend\n",
    )
    used = client.link.sock
    assert client.ask("user: do demo", "result: ok")[1].startswith(
        "number: 1 scripted 1000\ntext: bye\n"
    )
    assert client.link.sock is used is not None
    assert [(r.number, r.scenario, r.step) for r in loopback.requests] == [
        (1, "demo", 0),
        (2, "demo", 1),
    ]


def test_a_server_that_measures_states_the_size_of_each_request() -> None:
    with Loopback([Scenario("demo", (Say("hi"),))], dialects=[DIALECT], measured=True) as server:
        client = Client(server)
        small, large = (
            int(client.ask("user: demo", pad=pad)[1].split()[3]) for pad in ("", "x" * 4000)
        )
        client.link.close()
    assert large - small == 1000


def test_an_unmatched_prompt_gets_a_plain_answer(loopback: Loopback, client: Client) -> None:
    status, text = client.ask("user: what is this?")
    assert status == 200
    assert "No scenario matches" in text
    assert "call: None" in text
    assert loopback.requests[0].step is None


def test_a_scenario_of_the_same_name_is_replaced(loopback: Loopback, client: Client) -> None:
    loopback.add(Scenario("demo", (Say("old"),)))
    loopback.add(Scenario("demo", (Say("new"),)))
    assert "text: new" in client.ask("user: demo")[1]


def test_what_is_no_turn_is_answered_aside(loopback: Loopback, client: Client) -> None:
    client.link.request("GET", "/plain/count")
    assert json.loads(client.link.getresponse().read()) == {"count": 3}
    assert (loopback.requests[0].dialect, loopback.requests[0].step) == ("plain", None)


def test_a_head_request_gets_no_body_and_keeps_the_connection(client: Client) -> None:
    client.link.request("HEAD", "/plain/count")
    answer = client.link.getresponse()
    assert (answer.status, answer.read(), answer.headers["content-length"]) == (200, b"", "12")
    client.link.request("GET", "/plain/count")
    assert client.link.getresponse().read()


def test_unknown_paths_methods_and_bodies_are_refused(client: Client) -> None:
    statuses = []
    for method, path, body in [
        ("GET", "/elsewhere", None),
        ("GET", "/plain/turn", None),
        ("POST", "/plain/turn", "{torn"),
        ("POST", "/plain/turn", "[1]"),
    ]:
        client.link.request(method, path, body)
        answer = client.link.getresponse()
        answer.read()
        statuses.append(answer.status)
    assert statuses == [404, 405, 400, 400]


def test_an_error_is_given_as_often_as_it_says(loopback: Loopback, client: Client) -> None:
    loopback.add(Scenario("demo", (HttpError(429, "slow down", 2, "rate"), Say("now"))))
    answer = client.post("user: demo")
    assert (answer.status, answer.headers["connection"]) == (429, "close")
    assert json.loads(answer.read()) == {"error": "slow down", "code": "rate"}
    assert [client.ask("user: demo")[0] for _ in range(3)] == [429, 200, 200]


def test_errors_are_counted_for_each_client_session(loopback: Loopback) -> None:
    loopback.add(Scenario("demo", (HttpError(500, times=1), Say("now"))))
    statuses = []
    for session in ("one", "two", "one", "two"):
        client = Client(loopback, session)
        statuses.append(client.ask("user: demo")[0])
        client.link.close()
    assert statuses == [500, 500, 200, 200]


def test_a_failure_is_a_bad_request(loopback: Loopback, client: Client) -> None:
    loopback.add(Scenario("demo", (Write("a", ""), Fail("no more"))))
    assert client.ask("user: demo")[0] == 200
    assert client.ask("user: demo", "result: ok") == (400, '{"error": "no more", "code": ""}')


def test_a_dropped_stream_breaks_off_after_its_first_chunk(
    loopback: Loopback, client: Client
) -> None:
    loopback.add(Scenario("demo", (Drop(times=1), Say("whole"))))
    with pytest.raises(http.client.IncompleteRead) as torn:
        client.ask("user: demo")
    assert torn.value.partial.startswith(b"number: 0")
    assert b"end" not in torn.value.partial
    client.link.close()
    assert client.ask("user: demo")[1].endswith("end\n")


def test_a_hang_sends_its_head_and_then_nothing_until_close(
    loopback: Loopback, client: Client
) -> None:
    loopback.add(Scenario("demo", (Hang(3600), Say("never"))))
    answer = client.post("user: demo")
    assert answer.status == 200
    loopback.close()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()


def test_after_a_hang_the_reply_follows(loopback: Loopback, client: Client) -> None:
    loopback.add(Scenario("demo", (Hang(0.01), Say("late"))))
    assert "text: late" in client.ask("user: demo")[1]


def test_close_ends_delays_and_idle_connections_and_every_thread() -> None:
    before = set(threading.enumerate())
    server = Loopback([Scenario("slow", (Sleep(3600),)), Scenario("quick", ())], dialects=[DIALECT])
    idle, waiting = Client(server), Client(server)
    assert idle.ask("user: quick")[0] == 200
    body = json.dumps({"lines": ["user: slow"]})
    waiting.link.request("POST", "/plain/turn", body)
    eventually(lambda: len(server.requests) == 2)
    server.close()
    server.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        waiting.link.getresponse()
    for client in (idle, waiting):
        client.link.close()


def test_many_clients_at_once_each_get_their_own_steps(loopback: Loopback) -> None:
    for name in range(8):
        loopback.add(
            Scenario(f"task-{name}.", (Say(f"hi {name}"), Write(f"{name}", ""), Say("bye")))
        )

    def session(name: int) -> list[str]:
        client = Client(loopback)
        prompt = f"user: do task-{name}."
        texts = [client.ask(prompt)[1], client.ask(prompt, "result: ok")[1]]
        client.link.close()
        return texts

    with ThreadPoolExecutor(8) as pool:
        for name, (first, last) in enumerate(pool.map(session, range(8))):
            assert f"text: hi {name}\n" in first
            assert "text: bye\n" in last
    assert sorted(r.number for r in loopback.requests) == list(range(1, 17))


def test_requests_are_recorded_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    with Loopback(dialects=[DIALECT], record_to=file) as server:
        client = Client(server)
        client.headers = {"X-Api-Key": "s3cret", "Authorization": "Bearer s3cret"}
        client.ask("user: hello")
        client.link.close()
        (recorded,) = server.requests
    assert recorded.headers["x-api-key"] == recorded.headers["authorization"] == REDACTED
    assert recorded.body == {"lines": ["user: hello"]}
    assert "s3cret" not in file.read_text()
    assert json.loads(file.read_text())["path"] == "/plain/turn"


def test_it_is_a_trap_for_whoever_wants_out(loopback: Loopback, client: Client) -> None:
    refused = raw(
        loopback, b"CONNECT api.example.com:443 HTTP/1.1\r\nHost: api.example.com\r\n\r\n"
    )
    assert refused.startswith(b"HTTP/1.1 403 ")
    for _ in range(2):
        client.link.request("POST", "http://example.com/telemetry", "secret")
        answer = client.link.getresponse()
        assert (answer.status, bool(answer.read())) == (403, True)
    assert loopback.egress == ["api.example.com:443", "example.com:80"]
    assert {r.dialect for r in loopback.requests} == {"egress"}


@pytest.mark.parametrize(
    ("target", "answer", "egress"),
    [("", "200", []), ("http://example.com/telemetry", "403", ["example.com:80"])],
)
def test_a_fenced_program_gets_here_and_nowhere_else(
    loopback: Loopback, target: str, answer: str, egress: list[str]
) -> None:
    ask = "import sys, urllib.error as e, urllib.request as r\n"
    ask += "try: print(r.urlopen(sys.argv[1]).status)\nexcept e.HTTPError as no: print(no.code)"
    target = target or f"{loopback.url}/plain/count"
    argv = [sys.executable, "-c", ask, target]
    done = subprocess.run(argv, env=loopback.fence, capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), loopback.egress) == (answer, egress)


def test_local_requests_that_come_through_the_proxy_are_served(
    loopback: Loopback, client: Client
) -> None:
    client.link.request("GET", f"{loopback.url}/plain/count")
    assert json.loads(client.link.getresponse().read()) == {"count": 3}
    assert loopback.egress == []


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_chunked_and_compressed_bodies_are_read(
    loopback: Loopback, client: Client, coding: str
) -> None:
    body = json.dumps({"lines": ["user: hello"]}).encode()
    content = gzip.compress(body) if coding else body
    headers = {"Content-Encoding": coding} if coding else {}
    pieces = iter([content[:9], content[9:]])
    client.link.request("POST", "/plain/turn", pieces, headers, encode_chunked=True)
    assert client.link.getresponse().status == 200
    assert loopback.requests[0].body == {"lines": ["user: hello"]}


def test_a_client_of_http_1_0_gets_its_stream_up_to_the_close(loopback: Loopback) -> None:
    body = b'{"lines": ["user: hello"]}'
    head = b"POST /plain/turn HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert raw(loopback, head + body).endswith(b"call: None\nend\n")


def test_a_client_that_leaves_in_mid_stream_harms_nobody(
    loopback: Loopback, client: Client
) -> None:
    loopback.add(Scenario("slow", (Hang(0.05), Say("x"))))
    client.post("user: slow")
    client.link.close()
    other = Client(loopback)
    assert other.ask("user: hello")[0] == 200
    other.link.close()


def test_it_listens_on_this_machine_only(loopback: Loopback) -> None:
    assert loopback.url.startswith("http://127.0.0.1:")


def test_the_dialects_have_names_of_their_own() -> None:
    assert len({d.name for d in DIALECTS}) == len(DIALECTS) == 3
