"""The worker as a service of the user's: its files as systemd and launchd read them, and undone."""

import os
import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from abreast.engine.client.service import service_of, set_service, unit_text
from abreast.errors import StateError
from abreast.places import Places

ODD = 'st a$t%e "q" \\b'


@pytest.fixture
def places(scratch_home: Path) -> Places:
    state = scratch_home / ODD
    return Places(state, f"sqlite:///{state / 'abreast.db'}")


def environ() -> dict[str, str]:
    """Where no service manager is reached."""
    return dict(os.environ)


@pytest.fixture(autouse=True)
def nobody_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def files(home: Path) -> list[str]:
    config = home / ".config"
    return sorted(p.name for p in config.rglob("*") if not p.is_dir()) if config.exists() else []


def test_it_is_written_once_and_taken_away_again(scratch_home: Path, places: Places) -> None:
    before = files(scratch_home)
    asked = []
    given = set_service(places, environ(), lambda found: bool(asked.append(found)) or True)
    assert [change.action for change in asked[0].changes] == ["create", "create"]
    service = service_of(places, environ())
    assert (given.applied, service.enabled, service.current) == (True, True, True)
    assert service.file.stat().st_mode & 0o777 == 0o600
    assert service.link is not None
    assert service.link.resolve() == service.file
    assert set_service(places, environ(), None).changes == ()
    assert set_service(places, environ(), None, remove=True).applied
    assert files(scratch_home) == before
    assert set_service(places, environ(), None, remove=True).changes == ()


def test_nothing_is_written_without_a_yes_nor_over_another_file(
    scratch_home: Path, places: Places
) -> None:
    before = files(scratch_home)
    assert not set_service(places, environ(), lambda _: False).applied
    assert files(scratch_home) == before
    service = service_of(places, environ())
    service.file.parent.mkdir(parents=True)
    service.file.write_text("[Unit]\n")
    for remove in (False, True):
        with pytest.raises(StateError, match="is not abreast's"):
            set_service(places, environ(), None, remove=remove)
    assert service.file.read_text() == "[Unit]\n"


def test_a_password_in_the_database_url_is_not_shown(places: Places) -> None:
    away = Places(places.state, "postgresql://ada:s3cret%40x@db/abreast")
    shown = []
    set_service(away, environ(), lambda found: bool(shown.append(found)))
    text = "".join(change.diff for change in shown[0].changes)
    assert "s3cret" not in text
    assert "ABREAST_DB=(hidden)" in text
    assert "s3cret%%40x" in service_of(away, environ()).text


def test_a_unit_runs_the_command_with_every_character_as_it_is(places: Places) -> None:
    service = service_of(places, environ(), "linux")
    (line,) = [s for s in service.text.splitlines() if s.startswith("ExecStart=")]
    words = shlex.split(line.removeprefix("ExecStart=").replace("$$", "$").replace("%%", "%"))
    assert words[-2:] == ["--state", str(places.state)]
    assert "KillMode=process" in service.text  # agents outlive it


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_nothing_wrong_with_the_unit(places: Places, tmp_path: Path) -> None:
    unit = tmp_path / "abreast-worker.service"
    unit.write_text(service_of(places, environ(), "linux").text)
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    argv = ["systemd-analyze", "--user", "--man=no", "verify", str(unit)]
    found = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    said = [line for line in (found.stdout + found.stderr).splitlines() if unit.name in line]
    assert (found.returncode, said) == (0, [])  # of the machine's own units it may say something
    unit.write_text(unit.read_text().replace("KillMode=process", "KillMode=nonsense"))
    found = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert f"{unit.name}:" in found.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_any_name_of_a_program_and_no_line_from_a_path(tmp_path: Path) -> None:
    folder = tmp_path / 'a $HOME\'s 100%h "x" \\'
    folder.mkdir()
    program = shutil.copy("/bin/true", folder / "true")
    unit = tmp_path / "abreast-worker.service"
    words = (str(program), "b\rExecStartPre=/bin/nothing")
    unit.write_text(unit_text(words, {"A": "b\rNonsense=c\n\x0b"}), newline="")
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    argv = ["systemd-analyze", "--user", "--man=no", "verify", str(unit)]
    found = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    said = [line for line in (found.stdout + found.stderr).splitlines() if unit.name in line]
    assert (found.returncode, said) == (0, [])


def test_launchd_gets_the_same_as_a_property_list(places: Places) -> None:
    service = service_of(places, environ(), "darwin")
    told = plistlib.loads(service.text.encode())
    assert told["ProgramArguments"][-2:] == ["--state", str(places.state)]
    assert told["EnvironmentVariables"]["ABREAST_STATE_DIR"] == str(places.state)
    assert (told["RunAtLoad"], told["AbandonProcessGroup"]) == (True, True)
    assert service.file.name == f"{told['Label']}.plist"
    with pytest.raises(StateError, match="no service manager of win32"):
        service_of(places, environ(), "win32")
