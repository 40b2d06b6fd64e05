"""The agent `codex`: how OpenAI's Codex CLI is found, started, confined and pointed elsewhere.

Every option was tried with Codex 0.169.0; docs/agents/codex.md tells what they amount to.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abreast.agents.base import (
    ASK_AT_THE_END,
    GIT,
    SHELL,
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
from abreast.agents.codex import config, install
from abreast.agents.codex.config import OBEYED, codex_home, letter, load_settings, overrides
from abreast.agents.codex.headless import files, options, strict
from abreast.agents.codex.install import DEFECTS, KEY, PRICES, find_codex, login_of
from abreast.agents.parts import BriefingFiles, Certified, Connector, EndingHook, Records
from abreast.agents.recorded import at

if TYPE_CHECKING:
    from abreast.agents.codex.stream import CodexReader
    from abreast.loopback.dialect import Dialect

LOOPBACK_MODEL = "gpt-5.5"  # the newest whose tools are plain calls; later ones write JavaScript
_TRUST = (
    "Codex asks first whether you trust this folder: it is a fresh worktree of your repository, "
    "and the answer holds for all of that"
)
_LONGEST_ARGUMENT = 100_000  # bytes; Linux takes 128 KiB


class CodexAgent(Agent):
    """Codex CLI, by its native binary."""

    name = "codex"
    title = "Codex CLI"
    co_author = "Codex <noreply@openai.com>"
    capabilities = Capabilities(
        resume=True,
        interactive=True,
        usage=True,
        model=True,
        structured_output=True,
        told="at its next tool call, else at the end of its turn",
        confined_writes="Codex's sandbox: the worktree and the temporary folder, no network",
    )
    env_patterns = (
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
    certified = Certified("0.160.0", "0.169.0")
    defects = DEFECTS
    prices = PRICES
    start_up = 4000  # gpt-6.1-sol, which describes its tools at length; gpt-5.5 takes 1700
    secrets = (".codex", ".azure")
    how_to_ask = ASK_AT_THE_END
    install_hint = "npm install -g @openai/codex"
    briefing = BriefingFiles("AGENTS.md", most=32_768)  # its project_doc_max_bytes by default

    @property
    def records(self) -> Records:
        from abreast.agents.codex import records

        return records

    @property
    def connection(self) -> Connector:
        return config

    @property
    def ending_hook(self) -> Callable[[str, Mapping[str, str]], EndingHook]:
        return config.ending_hook

    @property
    def dialect(self) -> "Dialect":
        from abreast.loopback.openai import DIALECT

        return DIALECT

    def find(self, environ: Mapping[str, str]) -> Installed | None:
        return find_codex(environ)

    def relies_on(self, installed: Installed, environ: Mapping[str, str]) -> tuple[Relied, ...]:
        launched = installed.path.suffix == ".js"
        node = {"node": "install Node.js: its launcher is a script"} if launched else {}
        box = install.relied_on(installed, environ)
        return (*relied(environ, {**GIT, **node, **SHELL}), *([box] if box else []))

    def login(self, environ: Mapping[str, str]) -> Login:
        return login_of(environ)

    def hosts(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        return install.hosts_of(environ)

    def headless(self, launch: Launch) -> Command:
        """Return the command for one task, or for a child's question.

        On resume every option is given again: Codex takes none of them from the session.
        """
        argv = [str(launch.installed.path), "exec", "--json", "--strict-config"]
        argv += ["-C", str(launch.worktree), *_model(launch), *options(launch)]
        if launch.resume:
            argv += ["resume", launch.cli_session]
        return Command(
            argv=(*argv, "-"),
            env=install.environment(launch),
            stdin=_prompt(launch),
            files={**files(launch), **install.program(launch)},
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
        given = ["--no-daemon", "-C", str(launch.worktree), *_model(launch), *overrides(values)]
        resume = ["resume", launch.cli_session] if launch.resume else []
        prompt = ["--", launch.prompt] if launch.prompt else []
        return Command(
            argv=(str(launch.installed.path), *resume, *given, *prompt),
            env=launch.environ,
            note="" if _trusted(launch) else _TRUST,
        )

    def state_files(self, launch: Launch, shared: Path) -> StateFiles:  # noqa: ARG002
        """Return its home: the commands that it runs cannot write there, by its own sandbox."""
        home = codex_home(launch.environ)
        return StateFiles(writable=(home,), sealed=tuple(home / name for name in OBEYED))

    def find_session(self, launch: Launch, since: float) -> str:
        """Find the session by its id, or by its worktree: at a terminal Codex makes its own id."""
        from abreast.agents.codex.rollout import find_rollout, newest_thread

        home = codex_home(launch.environ)
        if launch.cli_session and find_rollout(home, launch.cli_session):
            return launch.cli_session
        return newest_thread(home, launch.worktree, since)

    def redirect(self, url: str, home: Path) -> Redirect:
        """Point Codex at `url` by a provider of its own: OpenAI's would try a WebSocket first."""
        folder = home / ".codex"
        env = {"HOME": str(home), "CODEX_HOME": str(folder), KEY: "loopback-no-real-key"}
        settings = _LOOPBACK.format(model=LOOPBACK_MODEL, url=url, key=KEY)
        return Redirect(env, {folder / "config.toml": settings})

    def takes(self, schema: Mapping[str, Any]) -> bool:
        """Return whether OpenAI's strict mode, which Codex asks for, has words for this schema."""
        return strict(schema) is not None

    def letter(self, text: str) -> Letter:
        return letter(text)

    def reader(self, environ: Mapping[str, str] | None = None) -> "CodexReader":
        """Return a reader; `environ` is Codex's own, by default ours: a runner hands on its own.

        It tells where Codex keeps the session's record, without which denials are not seen.
        """
        from abreast.agents.codex.stream import CodexReader

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


def _trusted(launch: Launch) -> bool:
    """Return whether the user has trusted the repository: that holds in its worktrees as well."""
    own = load_settings(launch.environ).own
    places = (str(path) for path in (launch.common_dir.parent, launch.worktree))
    return any(at(own, "projects", path, "trust_level") == "trusted" for path in places)


def _model(launch: Launch) -> list[str]:
    return ["-m", launch.model] if launch.model else []


def _prompt(launch: Launch) -> str:
    """Return the prompt under the briefing; a resumed session has been told that before."""
    if launch.resume or not launch.briefing:
        return launch.prompt
    return (
        "These are the project's standing instructions. Follow them in the task below.\n\n"
        f"{launch.briefing}\n\n# Your task\n\n{launch.prompt}"
    )


AGENT = CodexAgent()
