"""Gemini CLI: its command lines, login and least-privilege profile (tested with 0.61.0)."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abreast.agents.base import (
    ASK_AT_THE_END,
    GIT,
    Agent,
    Capabilities,
    Command,
    Installed,
    Launch,
    Letter,
    Login,
    LoginState,
    Redirect,
    Relied,
    StateFiles,
    relied,
    which,
)
from abreast.agents.gemini import connect, profile
from abreast.agents.gemini.failure import LOGIN_HINT
from abreast.agents.gemini.home import (
    DEFECTS,
    PRIVATE_HOME,
    auth_type,
    disarmed,
    headless_settings,
    home_files,
    home_links,
    installed_version,
    interactive_settings,
    policy,
    policy_text,
    private_home,
    retention,
    scratch,
    user_folder,
)
from abreast.agents.gemini.prices import PRICES
from abreast.agents.gemini.profile import CERTIFIED
from abreast.agents.hosts import https, named_by
from abreast.agents.parts import BriefingFiles, Connector, EndingHook, Records, Retention

_NOT_SERVED = (
    "personal Google logins are no longer served by Gemini CLI (since 2026-06-18): "
    "if it refuses yours, set GEMINI_API_KEY"
)

_BASES = ("GOOGLE_GEMINI_BASE_URL", "GOOGLE_VERTEX_BASE_URL")
_MODEL = "generativelanguage.googleapis.com"
_LOGIN = ("oauth2.googleapis.com",)  # where a Google account's token is renewed

if TYPE_CHECKING:
    from abreast.agents.gemini.stream import GeminiReader
    from abreast.loopback.dialect import Dialect


class GeminiAgent(Agent):
    """Runs Gemini CLI with a private `GEMINI_CLI_HOME` in the session's directory."""

    name = "gemini"
    title = "Gemini CLI"
    capabilities = Capabilities(
        resume=True,
        interactive=True,
        usage=True,
        model=True,
        told="at its next tool call, else at the end of its turn",
        confined_writes="its file tools refuse paths outside the worktree; its shell does not",
    )
    env_patterns = (
        "GEMINI_API_KEY",
        "GEMINI_API_KEY_AUTH_MECHANISM",
        "GEMINI_MODEL",
        "GEMINI_CLI_HOME",
        "GEMINI_CLI_SYSTEM_*",  # an organisation's settings, which beat all others
        "GEMINI_FORCE_ENCRYPTED_FILE_STORAGE",
        "GEMINI_FORCE_FILE_STORAGE",
        "GOOGLE_API_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_*",
        "GOOGLE_GENAI_*",
        "GOOGLE_GEMINI_BASE_URL",
        "GOOGLE_VERTEX_BASE_URL",
        "CLOUDSDK_CONFIG",
        "DBUS_SESSION_BUS_ADDRESS",  # where the keychain answers
        "TERM",
        "COLORTERM",
    )
    env_names = (
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
        "GOOGLE_CLOUD_LOCATION",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_GENAI_USE_GCA",
        "GOOGLE_GENAI_USE_VERTEXAI",
    )
    certified = CERTIFIED
    defects = DEFECTS
    prices = PRICES
    start_up = 1900
    install_hint = "npm install -g @google/gemini-cli"
    private_home = PRIVATE_HOME
    secrets = (".gemini",)
    how_to_ask = ASK_AT_THE_END
    briefing = BriefingFiles("GEMINI.md", imports=True)

    @property
    def records(self) -> Records:
        from abreast.agents.gemini import records

        return records

    @property
    def connection(self) -> Connector:
        return connect

    @property
    def ending_hook(self) -> Callable[[str, Mapping[str, str]], EndingHook]:
        return connect.ending_hook

    @property
    def dialect(self) -> "Dialect":
        from abreast.loopback.gemini import DIALECT

        return DIALECT

    def retention(self, environ: Mapping[str, str]) -> Retention | None:
        return retention(environ)

    def find(self, environ: Mapping[str, str]) -> Installed | None:
        found = which(environ, "gemini")
        return Installed(found, installed_version(found)) if found else None

    def relies_on(self, installed: Installed, environ: Mapping[str, str]) -> tuple[Relied, ...]:
        launched = installed.path.resolve().suffix == ".js"
        node = {"node": "install Node.js 20 or newer: it runs on it"} if launched else {}
        return relied(environ, {**GIT, **node, "bash": "install bash: its shell tool runs it"})

    def login(self, environ: Mapping[str, str]) -> Login:
        """Return the login, judged by variables and files; it may be no longer valid."""
        chosen = auth_type(environ)
        if chosen == "vertex-ai":
            return _vertex(environ)
        if environ.get("GEMINI_API_KEY"):
            return Login(LoginState.READY, "API key in GEMINI_API_KEY")
        folder = user_folder(environ)
        if (folder / ".env").is_file():
            return Login(LoginState.UNKNOWN, f"whatever {folder / '.env'} sets")
        if chosen == "gemini-api-key":
            return Login(LoginState.UNKNOWN, "API key in the system's keychain")
        if (folder / "oauth_creds.json").is_file():
            return Login(LoginState.UNKNOWN, "Google account", _NOT_SERVED)
        return Login(LoginState.MISSING, hint=LOGIN_HINT)

    def hosts(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        if named := named_by(environ, _BASES):
            return named
        if auth_type(environ) == "vertex-ai":
            place = environ.get("GOOGLE_CLOUD_LOCATION") or "global"
            own = f"{place}-aiplatform.googleapis.com"
            return https("aiplatform.googleapis.com", own, *_LOGIN)
        if environ.get("GEMINI_API_KEY"):
            return https(_MODEL)
        return https(_MODEL, "cloudcode-pa.googleapis.com", *_LOGIN)

    def headless(self, launch: Launch) -> Command:
        files = home_files(launch, headless_settings(launch)) | profile.instructions(launch)
        files |= {policy(launch): policy_text(launch), **profile.prompt_script(launch)}
        argv = [
            str(launch.installed.path),
            *profile.trust_options(launch),
            *profile.approval(launch),
            *profile.folder_options(launch),
            "--policy",
            str(policy(launch)),
            "--extensions",
            profile.extensions(launch),
            "--output-format",
            "stream-json",
            *_model(launch),
            *_session(launch),
        ]
        return Command(
            argv=tuple(argv),
            env={
                **_environ(launch),
                **profile.child_variables(launch),
                **profile.prompt_variables(launch),
                # Its launcher starts a second process and ignores SIGTERM.
                "GEMINI_CLI_NO_RELAUNCH": "true",
                "NO_COLOR": "1",
            },
            # What begins with a slash it would take for a command of its own.
            stdin=f"\n{launch.prompt}" if launch.prompt.startswith("/") else launch.prompt,
            files=files,
            links=home_links(launch),
        )

    def state_files(self, launch: Launch, shared: Path) -> StateFiles:  # noqa: ARG002
        """Return the user's logins, which its private home links to: it writes them in place."""
        cloud = Path(launch.environ.get("HOME", "/")) / ".config" / "gcloud"
        named = launch.environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
        vertex = auth_type(launch.environ) == "vertex-ai"
        return StateFiles(
            writable=tuple(home_links(launch).values()),
            readable=(*([cloud] if vertex else ()), *([Path(named)] if named else ())),
        )

    def interactive(self, launch: Launch) -> Command:
        prompt = ("--prompt-interactive", launch.prompt) if launch.prompt else ()
        return Command(
            argv=(
                str(launch.installed.path),
                *profile.trust_options(launch),
                "--extensions",
                "none",  # those of the headless process before it are still in its home
                *_model(launch),
                *_session(launch),
                *prompt,
            ),
            env=_environ(launch),
            files=home_files(launch, interactive_settings(launch)),
            links=home_links(launch),
        )

    def find_session(self, launch: Launch, since: float) -> str:  # noqa: ARG002
        """Look for a record with anything said in it; the id was ours from the start."""
        from abreast.agents.gemini.records_usage import resumable

        found = resumable(private_home(launch), launch.cli_session, launch.worktree)
        return launch.cli_session if found else ""

    def redirect(self, url: str, home: Path) -> Redirect:
        return Redirect(
            env={
                "HOME": str(home),
                "GEMINI_API_KEY": "loopback-dummy-key",
                "GOOGLE_GEMINI_BASE_URL": url,
            }
        )

    def takes(self, schema: Mapping[str, Any]) -> bool:  # noqa: ARG002
        return False

    def letter(self, text: str) -> Letter:
        return profile.letter(text)

    def reader(self, environ: Mapping[str, str] | None = None) -> "GeminiReader":
        """Return a reader; `environ` is the CLI's own, by default ours: a runner hands on its own.

        It tells where the CLI keeps its record, which has the usage of a process that was stopped.
        """
        from abreast.agents.gemini.stream import GeminiReader

        home = (os.environ if environ is None else environ).get("GEMINI_CLI_HOME")
        return GeminiReader(Path(home) if home else None)


AGENT = GeminiAgent()


def _vertex(environ: Mapping[str, str]) -> Login:
    if environ.get("GOOGLE_API_KEY"):
        return Login(LoginState.READY, "Vertex AI, API key in GOOGLE_API_KEY")
    if environ.get("GOOGLE_CLOUD_PROJECT") and environ.get("GOOGLE_CLOUD_LOCATION"):
        return Login(LoginState.UNKNOWN, "Vertex AI, application default credentials")
    return Login(
        LoginState.MISSING,
        "Vertex AI",
        "set GOOGLE_CLOUD_PROJECT and GOOGLE_CLOUD_LOCATION, or GOOGLE_API_KEY",
    )


def _model(launch: Launch) -> tuple[str, ...]:
    return ("--model", launch.model) if launch.model else ()


def _session(launch: Launch) -> tuple[str, ...]:
    if not launch.cli_session:
        return ()
    return ("--resume" if launch.resume else "--session-id", launch.cli_session)


def _environ(launch: Launch) -> dict[str, str]:
    return {
        **launch.environ,
        **disarmed(launch),
        **profile.trust_variables(),
        "GEMINI_CLI_HOME": str(private_home(launch)),
        "TMPDIR": str(scratch(launch)),
    }
