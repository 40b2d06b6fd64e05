"""What of the user's environment a session sees."""

import pytest

from abreast.agents import agent_named
from abreast.process.environment import allow

NETWORK = ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]
NETWORK += ["NODE_USE_SYSTEM_CA", "NODE_USE_ENV_PROXY", "NIX_SSL_CERT_FILE"]
DOORS = ["SSH_AUTH_SOCK", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "LD_PRELOAD"]
DOORS += ["NODE_OPTIONS", "PYTHONPATH", "GIT_DIR", "CLAUDECODE", "ABREAST_DB"]


@pytest.mark.parametrize("name", ["HOME", "PATH", "LC_TIME", "XDG_RUNTIME_DIR", *NETWORK])
def test_what_every_program_needs_is_passed(name: str) -> None:
    assert allow({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("agent", ["claude", "codex", "gemini", "command", "scripted"])
@pytest.mark.parametrize("name", DOORS)
def test_what_opens_doors_is_not_unless_named(agent: str, name: str) -> None:
    patterns = agent_named(agent).env_patterns
    assert allow({name: "x"}, *patterns) == {}
    assert allow({name: "x"}, *patterns, also=[name]) == {name: "x"}


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("claude", "CLAUDE_CODE_CERT_STORE"),
        ("claude", "CLAUDE_CODE_CLIENT_CERT"),
        ("claude", "CLOUDSDK_CONFIG"),
        ("codex", "CODEX_ACCESS_TOKEN"),
        ("codex", "DBUS_SESSION_BUS_ADDRESS"),
        ("gemini", "DBUS_SESSION_BUS_ADDRESS"),
        ("gemini", "GEMINI_CLI_SYSTEM_SETTINGS_PATH"),
    ],
)
def test_a_login_and_its_network_are_passed_to_their_own_cli(agent: str, name: str) -> None:
    assert allow({name: "x"}, *agent_named(agent).env_patterns) == {name: "x"}
    assert allow({name: "x"}) == {}


def test_a_pattern_is_matched_and_a_name_is_only_itself() -> None:
    environ = dict.fromkeys(["MY_A", "MY_B", "MY_", "[x]", "x", "HOMES", "home"], "1")
    assert allow(environ, "MY_?", "[x]") == {"MY_A": "1", "MY_B": "1", "x": "1"}
