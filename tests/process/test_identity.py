"""Processes that are still the same, and those that no longer are."""

import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from abreast.process.identity import identify
from tests.support.deadlines import eventually


def test_a_process_is_known_until_it_ends() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        identity = identify(child.pid)
        found = identity.find()
        assert found is not None
        assert found.pid == child.pid
        child.kill()
        eventually(lambda: not identity.alive, "a zombie is not alive")
    assert not identity.alive
    with pytest.raises(psutil.NoSuchProcess):
        identify(child.pid)


def test_another_process_with_the_same_pid_is_another() -> None:
    mine = identify()
    assert mine.alive
    assert not replace(mine, started=mine.started + 0.02).alive
    assert not replace(mine, started=mine.started - 3600).alive


def test_what_ran_before_the_machine_was_started_again_is_dead() -> None:
    mine = identify()
    assert mine.boot != ""
    assert not replace(mine, boot="another").alive
    assert replace(mine, boot="").alive, "as an older abreast has written it down"


linux = pytest.mark.skipif(sys.platform != "linux", reason="what is read there is Linux's own")


@linux
@pytest.mark.parametrize("step", [-7200.0, 2.0, 90_000.0])
def test_a_clock_that_is_set_ends_no_process(monkeypatch: pytest.MonkeyPatch, step: float) -> None:
    """The boot time is the clock minus the time since then; machines that wake up set it."""
    mine = identify()
    booted = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + step)
    assert psutil.Process().create_time() != pytest.approx(mine.started)
    assert mine.alive
    assert identify() == mine


@linux
def test_a_name_with_parentheses_is_a_name() -> None:
    code = "import pathlib, sys; pathlib.Path('/proc/self/comm').write_text('a) S 1 (b'); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        before = identify(child.pid)
        eventually(lambda: psutil.Process(child.pid).name() == "a) S 1 (b", "it has that name")
        assert identify(child.pid) == before
        child.communicate()
