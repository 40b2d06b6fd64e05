"""`abreast serve` as a person starts it: found by a second one, ended by a signal, nothing left."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from abreast.errors import StateError
from abreast.page import serving
from abreast.places import find_places
from tests.page.conftest import Browser
from tests.support.deadlines import SECONDS, eventually

SERVE = (sys.executable, "-m", "abreast", "serve", "--json")


@contextmanager
def served(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `abreast serve`; yield its process and the link that it prints."""
    process = subprocess.Popen((*SERVE, *options), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        try:
            yield process, json.loads(process.stdout.readline())["link"]
        finally:
            process.kill()


def browser_of(link: str) -> Browser:
    host = link.removeprefix("http://").partition("/")[0]
    return Browser(int(host.rpartition(":")[2]), host, link=link)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_server_ends_by_a_signal_and_leaves_nothing(
    scratch_home: Path, number: signal.Signals, code: int
) -> None:
    del scratch_home
    with served("--port", "0") as (process, link):
        browser = browser_of(link)
        eventually(lambda: _answers(browser.port))
        browser.enter()
        assert browser.ask("/").status == 200
        process.send_signal(number)
        assert process.wait(SECONDS) == code
    assert not (find_places().state / serving.FILE).exists()


def test_a_second_one_finds_the_first(scratch_home: Path) -> None:
    del scratch_home
    with served("--port", "0") as (process, link):
        first = browser_of(link)
        eventually(lambda: _answers(first.port))
        again = subprocess.run(SERVE, capture_output=True, text=True, check=True)
        second = browser_of(json.loads(again.stdout)["link"])
        assert second.host == first.host
        assert f"process {process.pid} is there already" in again.stderr
        second.enter()
        assert second.ask("/").status == 200
        only = subprocess.run((*SERVE, "--read-only"), capture_output=True, text=True, check=False)
        assert only.returncode == 1  # a link to a page that acts is not what was asked for
        assert "can do more than show" in only.stdout + only.stderr
    # It was killed: its note is there, and nobody believes it.
    assert (find_places().state / serving.FILE).exists()
    assert serving.find_server(find_places()) is None
    with served("--port", "0") as (_, link):
        assert browser_of(link).host != first.host


def test_a_port_that_is_taken_is_told(scratch_home: Path) -> None:
    del scratch_home
    places = find_places()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(StateError, match=f"port {taken} of 127.0.0.1 cannot be had"):
            serving.server(places, port=taken).__enter__()
    assert not (places.state / serving.FILE).exists()


def _answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0
