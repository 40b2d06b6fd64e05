"""The real CLIs without a network: their model is there, nothing else is, and they can be told."""

import socket
import sys
from pathlib import Path

import pytest

from abreast.model.moves import Say, Shell, Write
from abreast.model.session import SessionState
from abreast.runner.broker import LOG
from abreast.runner.job import load_job
from tests.support.bubblewrap import settings_with_sandbox
from tests.support.rig import every_cli, rigged, told

pytestmark = pytest.mark.clis

PROBE = """
import os, socket, sys
port, got = int(sys.argv[1]), []
try:
    socket.create_connection(("127.0.0.1", port), 5).close()
    got.append("direct")
except OSError:
    pass
proxy = int(os.environ["HTTPS_PROXY"].rpartition(":")[2])
try:
    with socket.create_connection(("127.0.0.1", proxy), 5) as one:
        one.sendall(b"CONNECT localhost:%d HTTP/1.1\\r\\n\\r\\n" % port)
        got.append(one.recv(100).split()[1].decode())
except OSError:
    got.append("no proxy")
print("got", *got, file=open("got.txt", "w"))
"""


@every_cli
def test_it_reaches_its_model_and_no_other_host(name: str, tmp_path: Path) -> None:
    with rigged(name, tmp_path) as rig, socket.create_server(("127.0.0.1", 0)) as elsewhere:
        settings_with_sandbox(rig.root / "settings.toml")
        rig.repo.commit("a probe", {"probe.py": PROBE})
        port = elsewhere.getsockname()[1]
        tells = f'{sys.executable} -m abreast tell --wait=0 "$ABREAST_SESSION" "Mind the gap."'
        moves = (
            *(Write("a.txt", "1\n"), Shell(f"{sys.executable} probe.py {port}")),
            *(Shell(f"{tells} || true"), Write("b.txt", "2\n"), Say("Done.")),
        )
        run = rig.stage.run(rig.task("one", *moves, network=False))
        [session] = run.sessions
        assert session.state is SessionState.DONE, session.reason
        bounds = load_job(Path(session.directory) / "agent").confinement
        assert (bounds.network, bounds.hosts) == (False, (rig.server.url.partition("//")[2],))
        got = rig.repo.git("show", f"{session.commit}:got.txt")
        # Codex's sandbox, within ours, keeps what it runs from the proxy, and from the socket.
        assert got == ("got no proxy" if name == "codex" else "got 403")
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
        if name != "codex":
            assert f"refused: localhost:{port}" in (Path(session.directory) / LOG).read_text()
            heard = told(rig.turns()[-1])
            assert f"Message from the session {session.id}" in heard
            assert "Mind the gap." in heard
