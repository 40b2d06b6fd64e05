"""A process within bounds: it is signalled as if it were alone, and nothing of it is left."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from abreast.model.confinement import Confinement
from abreast.process.confining import confined, inner_pid
from abreast.process.supervisor import below
from tests.support.bubblewrap import require_bubblewrap
from tests.support.deadlines import SECONDS, eventually


@contextmanager
def started(bounds: Confinement, script: str, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = confined(bounds, ("sh", "-c", script), str(cwd))
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            yield process
        finally:
            process.kill()


def test_without_a_program_nothing_is_changed() -> None:
    assert confined(Confinement(unconfined=("why",)), ("a", "b"), "/") == ("a", "b")


def test_a_signal_reaches_the_command_and_its_exit_code_comes_back(tmp_path: Path) -> None:
    bounds = Confinement(program=str(require_bubblewrap()), readable=(str(tmp_path),))
    script = "trap 'exit 7' TERM; echo up; while :; do sleep 0.1; done"
    with started(bounds, script, tmp_path) as process:
        inner = inner_pid(process.pid)
        assert inner != process.pid
        subprocess.run(["kill", "-TERM", str(inner)], check=True)
        assert process.wait(SECONDS) == 7


def test_its_end_ends_daemons_that_cleared_their_environment(tmp_path: Path) -> None:
    bounds = Confinement(program=str(require_bubblewrap()), readable=(str(tmp_path),))
    script = "setsid env -i /bin/sleep 1000 >/dev/null 2>&1 & echo up; cat"
    with started(bounds, script, tmp_path) as process:
        eventually(lambda: "sleep" in [one.name for one in below(process.pid)], "the daemon")
        daemons = [one.identity for one in below(process.pid)]
        process.send_signal(signal.SIGKILL)
        process.wait(SECONDS)
        eventually(lambda: not any(one.alive for one in daemons), "their end")


def test_the_deeper_path_counts_and_the_rest_can_only_be_read(tmp_path: Path) -> None:
    for name in ("hidden/shown/written", "own"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "hidden/secret").write_text("secret")
    (tmp_path / "hidden/shown/sealed").write_text("sealed")
    bounds = Confinement(
        program=str(require_bubblewrap()),
        readable=(str(tmp_path), str(tmp_path / "hidden/shown")),
        absent=(str(tmp_path / "hidden"),),
        writable=(str(tmp_path / "hidden/shown/written"),),
        mounted={"/tmp": str(tmp_path / "own")},
    )
    script = (
        "echo up; touch hidden/shown/written/new /tmp/mine; touch no hidden/no hidden/shown/no;"
        "cat hidden/secret; cat hidden/shown/sealed; kill -0 $PPID && echo; ls /proc | grep -c 0"
    )
    with started(bounds, script, tmp_path) as process:
        said = process.communicate(timeout=SECONDS)[0].decode()
    assert "secret" not in said
    assert "sealed" in said
    found = {str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()}
    assert found == {
        *("hidden/secret", "hidden/shown/sealed"),
        *("hidden/shown/written/new", "own/mine"),
    }
