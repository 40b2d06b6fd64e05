"""The demo with a real CLI: whatever the user's network is like, it stays on this machine.

One CLI goes through the whole story, the others through its first task. What the other two tasks do
(write a file, run a command, land) they prove in `tests/engine/working/test_real_batch.py` as well,
so the whole story of these runs in `make soak` only.
"""

from pathlib import Path

import pytest

from abreast.engine.client import demo
from tests.support.clis import base_environ, require_cli

WHOLE = 3


@pytest.mark.clis
@pytest.mark.parametrize(
    ("agent", "tasks"),
    [
        ("claude", 1),
        ("codex", WHOLE),
        ("gemini", 1),
        pytest.param("claude", WHOLE, marks=pytest.mark.product),
        pytest.param("gemini", WHOLE, marks=pytest.mark.product),
    ],
)
def test_the_users_proxy_is_not_asked(
    agent: str, tasks: int, scratch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_cli(agent)
    story = demo._story()
    assert len(story) == WHOLE
    monkeypatch.setattr(demo, "_story", lambda: dict([*story.items()][:tasks]))
    nowhere = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere)
    for name, value in {**base_environ(scratch_home), **proxies, "ABREAST_RETRIES": "1"}.items():
        monkeypatch.setenv(name, value)
    ended, folder = demo.run(agent, keep=False, progress=lambda _: None)
    assert len(ended.sessions) == tasks
    assert {session.reason for session in ended.sessions} == {""}
    assert ended.state == "done"
    assert not folder.exists()
