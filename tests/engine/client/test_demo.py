"""The demo with a real CLI: whatever the user's network is like, it stays on this machine."""

from pathlib import Path

import pytest

from abreast.engine.client.demo import run
from tests.support.clis import base_environ, require_cli


@pytest.mark.clis
@pytest.mark.parametrize("agent", ["claude", "codex", "gemini"])
def test_the_users_proxy_is_not_asked(
    agent: str, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_cli(agent)
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere)
    for name, value in {**base_environ(scratch_home), **proxies, "ABREAST_RETRIES": "1"}.items():
        monkeypatch.setenv(name, value)
    ended, folder = run(agent, keep=False, progress=lambda _: None)
    assert {session.reason for session in ended.sessions} == {""}
    assert ended.state == "done"
    assert not folder.exists()
