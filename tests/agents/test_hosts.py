"""What a session without a network may reach: hosts and ports, as base URLs and settings say."""

from pathlib import Path

import pytest

from abreast.agents import agent_named
from abreast.agents.hosts import host_of


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example.com", "api.example.com:443"),
        ("https://API.example.com./v1", "api.example.com:443"),
        ("http://127.0.0.1:4000/x", "127.0.0.1:4000"),
        ("http://[::1]:4000", "[::1]:4000"),
        ("https://me:word@api.example.com:8443/", "api.example.com:8443"),
        ("api.example.com", ""),
        ("ftp://api.example.com", ""),
        ("https://", ""),
        ("https://a b", ""),
        ("https://a:99999999", ""),
        ("https://[::1", ""),
        ("", ""),
    ],
)
def test_the_host_of_a_base_url(url: str, host: str) -> None:
    assert host_of(url) == host


def test_the_cloud_that_claude_asks() -> None:
    hosts = agent_named("claude").hosts
    region = {"CLAUDE_CODE_USE_BEDROCK": "1", "AWS_REGION": "eu-west-1"}
    assert "bedrock-runtime.eu-west-1.amazonaws.com:443" in hosts(region)
    assert "api.anthropic.com:443" not in hosts(region)
    own = {"CLAUDE_CODE_USE_VERTEX": "1", "ANTHROPIC_VERTEX_BASE_URL": "https://gate.example:1"}
    assert hosts(own) == ("gate.example:1", "oauth2.googleapis.com:443")
    foundry = {"CLAUDE_CODE_USE_FOUNDRY": "1", "ANTHROPIC_FOUNDRY_RESOURCE": "ours"}
    assert "ours.services.ai.azure.com:443" in hosts(foundry)


def test_what_claudes_settings_name(tmp_path: Path) -> None:
    folder = tmp_path / ".claude"
    folder.mkdir()
    text = '{"env": {"ANTHROPIC_BASE_URL": "https://gate.example/claude"}}'
    (folder / "settings.json").write_text(text)
    hosts = agent_named("claude").hosts
    assert hosts({"HOME": str(tmp_path)}) == ("gate.example:443",)
    more = {"HOME": str(tmp_path), "ANTHROPIC_BASE_URL": "http://localhost:1"}
    assert hosts(more) == ("localhost:1",)


def test_the_provider_of_codex(tmp_path: Path) -> None:
    hosts = agent_named("codex").hosts
    assert "chatgpt.com:443" in hosts({"HOME": str(tmp_path)})
    (tmp_path / ".codex").mkdir()
    text = 'model_provider = "x"\n[model_providers.x]\nbase_url = "https://x.example/v1"\n'
    (tmp_path / ".codex/config.toml").write_text(text + 'env_key = "X_KEY"\n')
    assert hosts({"HOME": str(tmp_path)}) == ("x.example:443",)


def test_the_login_of_gemini(tmp_path: Path) -> None:
    hosts = agent_named("gemini").hosts
    home = {"HOME": str(tmp_path)}
    key = hosts({**home, "GEMINI_API_KEY": "x"})
    assert key == ("generativelanguage.googleapis.com:443",)
    place = {"GOOGLE_GENAI_USE_VERTEXAI": "true", "GOOGLE_CLOUD_LOCATION": "europe-west1"}
    assert "europe-west1-aiplatform.googleapis.com:443" in hosts({**home, **place})
