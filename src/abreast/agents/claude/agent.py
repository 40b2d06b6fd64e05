"""Claude Code: how it is run headless or at a terminal, confined, and pointed elsewhere."""

import json
import os
import re
import shlex
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abreast.agents.base import (
    GIT,
    Agent,
    Capabilities,
    Command,
    Installed,
    Launch,
    Letter,
    Login,
    Redirect,
    Relied,
    StateFiles,
    StopSignal,
    relied,
)
from abreast.agents.claude import asking, confined, connect, profile
from abreast.agents.claude.hosts import hosts_of
from abreast.agents.claude.install import (
    DEFECTS,
    PRICES,
    READS_AGENTS_MD,
    find_claude,
    login_of,
    retention,
)
from abreast.agents.claude.records_usage import config_folder, written
from abreast.agents.parts import BriefingFiles, Certified, Connector, EndingHook, Records, Retention
from abreast.agents.recorded import at
from abreast.process.files import load_json

if TYPE_CHECKING:
    from abreast.agents.claude.stream import ClaudeReader
    from abreast.loopback.dialect import Dialect

RETRIES = "ABREAST_RETRIES"
_DUMMY_KEY = "abreast-loopback-no-real-key"

# The user's own settings, not the repository's: those could bring hooks, permissions, variables.
# It also keeps the repository's CLAUDE.md and AGENTS.md from loading besides our briefing.
_USER_SETTINGS = ("--setting-sources", "user")

_QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_TELEMETRY": "1",
}
_HEADLESS = {
    # A session that ends its turn takes its background tasks with it and still reports success.
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
    # The memory folder belongs to the main repository: parallel sessions would share it.
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
    # After a dropped stream it would pay for the same request again, as one silent block.
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    # With six tools there is nothing to search for.
    "ENABLE_TOOL_SEARCH": "false",
    "GIT_TERMINAL_PROMPT": "0",
    "TERM": "dumb",
}
_SECRETS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_FOUNDRY_API_KEY",
    "AWS_BEARER_TOKEN_BEDROCK",
    "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
    "CLAUDE_CODE_MESSAGING_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
)
_TRUST = (
    "Claude Code asks first whether you trust this folder: it is a fresh worktree of your "
    "repository, and the answer holds for all of that"
)


class ClaudeAgent(Agent):
    """Runs the CLI `claude`."""

    name = "claude"
    title = "Claude Code"
    co_author = "Claude <noreply@anthropic.com>"
    capabilities = Capabilities(
        resume=True,
        interactive=True,
        cost=True,
        usage=True,
        model=True,
        structured_output=True,
        answered=True,
        told="at its next tool call, else at the end of its turn",
        confined_writes="its edit tools refuse other paths; its shell is not confined",
    )
    env_patterns = (
        "ANTHROPIC_*",
        "CLAUDE_CONFIG_DIR",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_USE_*",
        "CLAUDE_CODE_SKIP_*_AUTH",
        "CLAUDE_CODE_CLIENT_*",
        "CLAUDE_CODE_CERT_STORE",
        "CLAUDE_CODE_PROXY_RESOLVES_HOSTS",
        "CLAUDE_CODE_API_KEY_HELPER_TTL_MS",
        "CLAUDE_CODE_EFFORT_LEVEL",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
        "MAX_THINKING_TOKENS",
        *_QUIET,
        "BASH_DEFAULT_TIMEOUT_MS",
        "BASH_MAX_TIMEOUT_MS",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_CA_BUNDLE",
        "CLOUD_ML_REGION",
        "VERTEX_REGION_*",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "GCLOUD_PROJECT",
        "CLOUDSDK_CONFIG",
    )
    env_names = (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_BEDROCK_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_FOUNDRY_API_KEY",
        "ANTHROPIC_FOUNDRY_BASE_URL",
        "ANTHROPIC_FOUNDRY_RESOURCE",
        "ANTHROPIC_MODEL",
        "ANTHROPIC_VERTEX_BASE_URL",
        "ANTHROPIC_VERTEX_PROJECT_ID",
        "CLAUDE_CODE_CLIENT_CERT",
        "CLAUDE_CODE_CLIENT_KEY",
        "CLAUDE_CODE_CLIENT_KEY_PASSPHRASE",
        "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
        "CLAUDE_CODE_SKIP_VERTEX_AUTH",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_FOUNDRY",
        "CLAUDE_CODE_USE_VERTEX",
    )
    certified = Certified("2.1.197", "2.1.330")
    defects = DEFECTS
    prices = PRICES
    start_up = 2600
    secrets = (".claude", ".claude.json")
    how_to_ask = asking.RULE
    briefing = BriefingFiles("CLAUDE.md", imports=True, instead="AGENTS.md", since=READS_AGENTS_MD)
    install_hint = "npm install -g @anthropic-ai/claude-code, then `claude` once to log in"

    @property
    def records(self) -> Records:
        from abreast.agents.claude import records

        return records

    @property
    def connection(self) -> Connector:
        return connect

    @property
    def ending_hook(self) -> Callable[[str, Mapping[str, str]], EndingHook]:
        return connect.ending_hook

    @property
    def dialect(self) -> "Dialect":
        from abreast.loopback.anthropic import DIALECT

        return DIALECT

    def retention(self, environ: Mapping[str, str]) -> Retention:
        return retention(environ)

    def find(self, environ: Mapping[str, str]) -> Installed | None:
        return find_claude(environ)

    def relies_on(self, installed: Installed, environ: Mapping[str, str]) -> tuple[Relied, ...]:
        launched = installed.path.suffix in {".cjs", ".js", ".mjs"}
        node = {"node": "install Node.js: its launcher is a script"} if launched else {}
        # It takes no other shell than these two, whatever SHELL says.
        shells = relied(environ, {"bash": "", "zsh": ""})
        shell = next((one for one in shells if one.path), Relied("bash", None, "install bash"))
        return (*relied(environ, {**GIT, **node}), shell)

    def login(self, environ: Mapping[str, str]) -> Login:
        return login_of(environ)

    def hosts(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return hosts_of(environ)

    def headless(self, launch: Launch) -> Command:
        shell = launch.directory / "claude-shell.sh"
        files = {shell: _shell_script()}
        options = [
            *_USER_SETTINGS,
            "--strict-mcp-config",
            *profile.options(launch.child, asks=launch.asks),
        ]
        options += _session(launch) + _briefing(launch, files)
        options += profile.settings_options(launch, files)
        if launch.limits.turns:
            options += ["--max-turns", str(launch.limits.turns)]
        if launch.limits.usd:
            options += ["--max-budget-usd", f"{launch.limits.usd:g}"]
        env = {
            **self._environment(launch.environ),
            **_QUIET,
            **_HEADLESS,
            **profile.variables(launch.child),
            "CLAUDE_CODE_MAX_RETRIES": launch.environ.get(RETRIES) or "6",
            "CLAUDE_CODE_TMPDIR": str(launch.directory / "tmp"),
            "CLAUDE_ENV_FILE": str(shell),
        }
        output = ["-p", "--output-format", "stream-json", "--verbose"]
        asks = launch.asks and launch.child is None
        return Command(
            argv=(str(launch.installed.path), *output, *(asking.OPTIONS if asks else ()), *options),
            env=env,
            stdin=asking.message(launch.prompt) if asks else launch.prompt,
            asks=asks,
            files=files,
            stop_signal=StopSignal.INT,
            activity=(_transcript(launch),),
        )

    def interactive(self, launch: Launch) -> Command:
        files: dict[Path, str] = {}
        options = [*_USER_SETTINGS, *_session(launch), *_briefing(launch, files)]
        options += profile.settings_options(launch, files)
        # A prompt may begin with a dash.
        prompt = ["--", launch.prompt] if launch.prompt else []
        return Command(
            argv=(str(launch.installed.path), *options, *prompt),
            env=self._environment(launch.environ),
            files=files,
            stop_signal=StopSignal.INT,
            activity=(_transcript(launch),),
            note="" if _trusted(launch) else _TRUST,
        )

    def state_files(self, launch: Launch, shared: Path) -> StateFiles:
        return confined.state_files(launch, shared, _transcript(launch).parent)

    def find_session(self, launch: Launch, since: float) -> str:  # noqa: ARG002
        """Look for a transcript with anything said in it; the id was ours from the start."""
        said = any(written(config_folder(launch.environ), launch.cli_session, "user", "assistant"))
        return launch.cli_session if said else ""

    def redirect(self, url: str, home: Path) -> Redirect:
        state = {
            "hasCompletedOnboarding": True,
            "theme": "dark",
            # A key is asked about once, by its last 20 characters.
            "customApiKeyResponses": {"approved": [_DUMMY_KEY[-20:]], "rejected": []},
        }
        env = {
            "HOME": str(home),
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": _DUMMY_KEY,
            **_QUIET,
        }
        return Redirect(env, {home / ".claude.json": json.dumps(state)})

    def takes(self, schema: Mapping[str, Any]) -> bool:
        return profile.takes(schema)

    def letter(self, text: str) -> Letter:
        return profile.letter(text)

    def reader(self, environ: Mapping[str, str] | None = None) -> "ClaudeReader":
        """Return a reader; `environ` is the CLI's own, by default ours: a runner hands on its own.

        It tells where the transcript is, which has the usage of a process that was killed.
        """
        from abreast.agents.claude.stream import ClaudeReader

        return ClaudeReader(config_folder(os.environ if environ is None else environ))

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return `environ` without the marks of a Claude Code session that we may run inside."""
        return {
            name: value
            for name, value in environ.items()
            if not name.startswith("CLAUDE")
            or any(fnmatchcase(name, pattern) for pattern in self.env_patterns)
        }


AGENT = ClaudeAgent()


def _trusted(launch: Launch) -> bool:
    """Return whether the user has trusted the repository: that holds in its worktrees as well."""
    named = launch.environ.get("CLAUDE_CONFIG_DIR") or launch.environ.get("HOME", "/")
    state = load_json(Path(named) / ".claude.json")
    places = (str(path) for path in (launch.common_dir.parent, launch.worktree))
    return any(at(state, "projects", path, "hasTrustDialogAccepted") is True for path in places)


def _transcript(launch: Launch) -> Path:
    slug = re.sub(r"[^a-zA-Z0-9]", "-", str(launch.worktree))
    return config_folder(launch.environ) / "projects" / slug / f"{launch.cli_session}.jsonl"


def _session(launch: Launch) -> list[str]:
    """Return the options for the session and its model; a resumed process needs them again."""
    flag = "--resume" if launch.resume else "--session-id"
    options = [flag, launch.cli_session] if launch.cli_session else []
    return options + (["--model", launch.model] if launch.model else [])


def _briefing(launch: Launch, files: dict[Path, str]) -> list[str]:
    if not launch.briefing:
        return []
    file = launch.directory / "briefing.md"
    files[file] = launch.briefing
    return ["--append-system-prompt-file", str(file)]


def _shell_script() -> str:
    """Return what Claude Code runs ahead of every shell command: it takes the keys away.

    Its own switch for this, CLAUDE_CODE_SUBPROCESS_ENV_SCRUB, refuses to start without bubblewrap.
    """
    return f"unset {shlex.join(_SECRETS)}\n"
