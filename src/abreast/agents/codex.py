"""The agent `codex`: how OpenAI's Codex CLI is found, started, confined and pointed elsewhere.

Every option was tried with Codex 0.169.0; docs/agents/codex.md tells what they amount to.
"""

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abreast.agents.base import (
    Capabilities,
    Command,
    Installed,
    Launch,
    Letter,
    Login,
    LoginState,
    Redirect,
    StopSignal,
)
from abreast.agents.codex_config import Settings, codex_home, load_settings, overrides
from abreast.agents.codex_rollout import find_rollout, newest_thread
from abreast.agents.codex_stream import CodexReader
from abreast.process.files import load_json

_KEY = "OPENAI_API_KEY"
LOOPBACK_MODEL = "gpt-5.5"  # the newest whose tools are plain calls; later ones write JavaScript
RETRIES = "ABREAST_RETRIES"
_PROFILE = "abreast"
_TRUST = (
    "Codex asks first whether you trust this folder: it is a fresh worktree of your repository, "
    "and the answer holds for all of that"
)
_LONGEST_ARGUMENT = 100_000  # bytes; Linux takes 128 KiB
_PLATFORMS = {
    ("linux", "x86_64"): ("linux-x64", "x86_64-unknown-linux-musl"),
    ("linux", "aarch64"): ("linux-arm64", "aarch64-unknown-linux-musl"),
    ("darwin", "x86_64"): ("darwin-x64", "x86_64-apple-darwin"),
    ("darwin", "arm64"): ("darwin-arm64", "aarch64-apple-darwin"),
}
# Set for a session that nobody watches. Plugins and apps would ask github.com and chatgpt.com at
# every start, and without the last one a refused connection is waited for without end.
_LEAN: Mapping[str, Any] = {
    "allow_login_shell": False,  # a login shell resets PATH: no virtual environment
    "shell_environment_policy.ignore_default_excludes": False,  # *KEY*, *SECRET*, *TOKEN*
    "agents.enabled": False,
    "skills.bundled.enabled": False,
    "web_search": "disabled",
    "notify": [],
    "project_doc_max_bytes": 0,  # the briefing says it, in the same words for every CLI
    "analytics.enabled": False,
    "check_for_update_on_startup": False,
}
_OFF = ("goals", "plugins", "apps", "shell_snapshot", "unbounded_connection_retries")


class CodexAgent:
    """Codex CLI, by its native binary."""

    name = "codex"
    title = "Codex CLI"
    capabilities = Capabilities(
        resume=True,
        interactive=True,
        usage=True,
        running_totals=True,
        model=True,
        structured_output=True,
        confined_writes="Codex's sandbox: the worktree and the temporary folder, no network",
    )
    env_patterns: tuple[str, ...] = (
        "CODEX_HOME",
        "CODEX_API_KEY",
        "CODEX_ACCESS_TOKEN",
        "CODEX_CA_CERTIFICATE",
        "CODEX_SQLITE_HOME",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_ORGANIZATION",
        "OPENAI_PROJECT",
        "AZURE_OPENAI_API_KEY",
        "DBUS_SESSION_BUS_ADDRESS",  # where the keyring answers
        "TERM",
        "COLORTERM",
    )
    start_up = 5000
    install_hint = "npm install -g @openai/codex"

    def find(self, environ: Mapping[str, str]) -> Installed | None:
        found = shutil.which("codex", path=environ.get("PATH", ""))
        if found is None:
            return None
        path = _native(Path(found).resolve())
        return Installed(path, _version(path))

    def login(self, environ: Mapping[str, str]) -> Login:
        """Tell the login state; what auth.json holds is not looked at."""
        settings = load_settings(environ)
        provider = settings.provider
        if provider.key:
            if environ.get(provider.key):
                return Login(LoginState.READY, f"API key in {provider.key} for {provider.name}")
            return Login(
                LoginState.MISSING,
                f"config.toml names the provider {provider.name}, {provider.key} is not set",
                f"export {provider.key}=…",
            )
        if provider.name != "openai" and not (provider.table or {}).get("requires_openai_auth"):
            return Login(LoginState.UNKNOWN, f"up to the provider {provider.name} of config.toml")
        return _openai_login(environ, settings)

    def headless(self, launch: Launch) -> Command:
        """Return the command for one task.

        On resume every option is given again: Codex takes none of them from the session.
        """
        argv = [str(launch.installed.path), "exec", "--json", "--strict-config"]
        argv += ["-C", str(launch.worktree), *_model(launch), *overrides(_settings(launch))]
        argv += [part for feature in _OFF for part in ("--disable", feature)]
        if launch.resume:
            argv += ["resume", launch.cli_session]
        return Command(
            argv=(*argv, "-"),
            env=launch.environ,
            stdin=_prompt(launch),
            stop_signal=StopSignal.INT,
        )

    def interactive(self, launch: Launch) -> Command:
        """Return the command for a person: their own settings, our worktree and briefing.

        A briefing too long for an argument is left to Codex, which reads the files itself.
        """
        values: dict[str, Any] = {"project_doc_max_bytes": 0}
        if launch.briefing and not launch.resume:
            if len(os.fsencode(launch.briefing)) <= _LONGEST_ARGUMENT:
                values["developer_instructions"] = launch.briefing
            else:
                values = {"project_doc_fallback_filenames": ["CLAUDE.md", "GEMINI.md"]}
        # Without --no-daemon a server of Codex's own would outlive the terminal.
        options = ["--no-daemon", "-C", str(launch.worktree), *_model(launch), *overrides(values)]
        resume = ["resume", launch.cli_session] if launch.resume else []
        prompt = ["--", launch.prompt] if launch.prompt else []
        return Command(
            argv=(str(launch.installed.path), *resume, *options, *prompt),
            env=launch.environ,
            note="" if _trusted(launch) else _TRUST,
        )

    def find_session(self, launch: Launch, since: float) -> str:
        """Find the session by its id, or by its worktree: at a terminal Codex makes its own id."""
        home = codex_home(launch.environ)
        if launch.cli_session and find_rollout(home, launch.cli_session):
            return launch.cli_session
        return newest_thread(home, launch.worktree, since)

    def redirect(self, url: str, home: Path) -> Redirect:
        """Point Codex at `url` by a provider of its own: OpenAI's would try a WebSocket first."""
        folder = home / ".codex"
        env = {"HOME": str(home), "CODEX_HOME": str(folder), _KEY: "loopback-no-real-key"}
        config = _LOOPBACK.format(model=LOOPBACK_MODEL, url=url, key=_KEY)
        return Redirect(env, {folder / "config.toml": config})

    def takes(self, schema: Mapping[str, Any]) -> bool:  # noqa: ARG002
        return False

    def letter(self, text: str) -> Letter:
        return Letter(text, text)

    def reader(self, environ: Mapping[str, str] | None = None) -> CodexReader:
        """Return a reader; `environ` is Codex's own, by default ours: a runner hands on its own.

        It tells where Codex keeps the session's record, without which denials are not seen.
        """
        return CodexReader(codex_home(os.environ if environ is None else environ))


_LOOPBACK = """\
model = "{model}"
model_provider = "loopback"
check_for_update_on_startup = false

[model_providers.loopback]
name = "loopback"
base_url = "{url}/openai/v1"
wire_api = "responses"
env_key = "{key}"
request_max_retries = 1
stream_max_retries = 1

[analytics]
enabled = false

[features]
plugins = false
apps = false
"""


def _native(path: Path) -> Path:
    """Return the native binary behind npm's Node wrapper, else `path` itself.

    Killing the wrapper on an older Node leaves the real Codex at work. npm puts the binary's
    package next to the wrapper's or into it, so we look where Node would: in each `node_modules`
    from there upwards.
    """
    places = _PLATFORMS.get((sys.platform, platform.machine()))
    if path.suffix != ".js" or places is None:
        return path
    package, triple = places
    root = path.parent.parent
    vendors = [
        folder / "node_modules" / "@openai" / f"codex-{package}" / "vendor"
        for folder in (root, *root.parents)
    ]
    for vendor in (*vendors, root / "vendor"):
        binary = vendor / triple / "bin" / "codex"
        if os.access(binary, os.X_OK):
            return binary
    return path


def _version(path: Path) -> str:
    """Return the version that stands next to the program, without running it; "" if none does."""
    for name in ("codex-package.json", "package.json"):
        stated = load_json(path.parent.parent / name)
        if isinstance(stated, dict) and "version" in stated:
            return str(stated["version"])
    return ""


def _openai_login(environ: Mapping[str, str], settings: Settings) -> Login:
    for name, kind in {"CODEX_API_KEY": "API key", "CODEX_ACCESS_TOKEN": "access token"}.items():
        if environ.get(name):
            return Login(LoginState.READY, f"{kind} in {name}")
    if (codex_home(environ) / "auth.json").is_file():
        return Login(LoginState.READY, "login kept in auth.json")
    if settings.credentials_store != "file":
        return Login(LoginState.UNKNOWN, "the login, if there is one, is in the system's keyring")
    if environ.get(_KEY):
        return Login(
            LoginState.MISSING,
            f"{_KEY} is set, but Codex does not send it of itself",
            f"printenv {_KEY} | codex login --with-api-key",
        )
    return Login(LoginState.MISSING, "not logged in", "codex login")


def _settings(launch: Launch) -> dict[str, Any]:
    """Return the settings of one headless session; the rest of the user's config stays."""
    settings = load_settings(launch.environ)
    values: dict[str, Any] = {
        "default_permissions": _PROFILE,
        "permissions": {_PROFILE: _permissions(launch)},
        **_LEAN,
        # Trusted or not, the repository's .codex (MCP servers, hooks, rules) stays out.
        "projects": {
            str(path): {"trust_level": "untrusted"}
            for path in (launch.worktree, launch.common_dir.parent, launch.common_dir)
        },
    }
    if settings.servers:
        values["mcp_servers"] = {name: {"enabled": False} for name in settings.servers}
    retries, provider = launch.environ.get(RETRIES, ""), settings.provider
    if retries.isdecimal() and provider.table is not None:
        limits = {"request_max_retries": int(retries), "stream_max_retries": int(retries)}
        values["model_providers"] = {provider.name: limits}
    return values


def _permissions(launch: Launch) -> dict[str, Any]:
    """Return the permission profile: read all but the login, write the worktree and /tmp.

    Git's folders are named because they could lie in /tmp. They stay read-only: who can write
    hooks and config there is out of the sandbox, and committing is abreast's part.
    """
    rights = {str(path): "read" for path in (launch.common_dir, launch.git_dir)}
    rights[str(codex_home(launch.environ) / "auth.json")] = "deny"
    return {"extends": ":workspace", "filesystem": rights}


def _trusted(launch: Launch) -> bool:
    """Tell whether the user has trusted the repository: that holds in its worktrees as well."""
    projects = load_settings(launch.environ).own.get("projects")
    known = projects if isinstance(projects, dict) else {}
    places = (known.get(str(path)) for path in (launch.common_dir.parent, launch.worktree))
    return any(isinstance(p, dict) and p.get("trust_level") == "trusted" for p in places)


def _model(launch: Launch) -> list[str]:
    return ["-m", launch.model] if launch.model else []


def _prompt(launch: Launch) -> str:
    """Return the prompt under the briefing; a resumed session has been told that before."""
    if launch.resume or not launch.briefing:
        return launch.prompt
    return (
        "These are the project's standing instructions. They hold for the task that follows.\n\n"
        f"{launch.briefing}\n\n# Your task\n\n{launch.prompt}"
    )


AGENT = CodexAgent()
