"""What every adapter promises: `AgentConformance` is a suite that any `Agent` has to pass.

A test class derives from it and gives the fixture `agent`. Nothing here knows a vendor: an
adapter is asked for commands, fed with lines, and held to what `abreast.agents.base` says.
"""

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.agents.base import (
    Agent,
    Capabilities,
    Command,
    Installed,
    Launch,
    Login,
    LoginState,
    StopSignal,
)
from abreast.agents.parts import NAME, VersionStatus, Wanted
from abreast.codec import dump, load
from abreast.errors import AgentError
from abreast.loopback.dialect import Reply, Request
from abreast.model.events import Event, EventKind, Outcome, Verdict
from abreast.model.moves import Say, Spend, Write
from abreast.model.task import AgentChoice
from abreast.model.usage import Usage
from abreast.process.environment import allow
from abreast.process.files import materialise

PROMPT = "Change the plümbing.\nAnd mind the \"quotes\" and 'others' -- and $HOME.\n"
BRIEFING = "Standing instructions: tabs, never spaces.\n"
SECRET = "s3cret-canary-value"
SESSION = "0b5a3c1e-7f0d-4f5e-9a55-6f3f0c5e2d11"
ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/home/ada", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}

# Adapters that need no CLI, or judge by the exit code because there is nothing else.
BUILT_IN = frozenset({"scripted"})
JUDGED_BY_CODE = frozenset({"command"})


def launch_for(agent: Agent, folder: Path, **more: Any) -> Launch:
    """A session of `agent` that could be started in `folder`; nothing of it exists yet."""
    choices = {
        "command": AgentChoice("command", command="make plumbing"),
        "scripted": AgentChoice("scripted", moves=(Spend(10, 2, 3), Write("a", "1"), Say("bye"))),
    }
    found = agent.find(ENVIRON)
    values: dict[str, Any] = {
        "installed": found or Installed(Path("/opt/bin") / agent.name, "99.0.0"),
        "directory": folder / "session",
        "worktree": folder / "worktree",
        "git_dir": folder / "repo/.git/worktrees/worktree",
        "common_dir": folder / "repo/.git",
        "environ": ENVIRON,
        "prompt": PROMPT,
        "choice": choices.get(agent.name, AgentChoice(agent.name)),
        "cli_session": SESSION,
    }
    return Launch(**{**values, **more})


def judge(agent: Agent, lines: Iterable[bytes], code: int | None, stderr: str = "") -> Verdict:
    reader = agent.reader()
    for line in lines:
        list(reader.feed(line))
    return reader.verdict(code, stderr)


def places(command: Command) -> dict[str, str]:
    """Every text by which a command can hand something to a CLI."""
    return {
        "argv": "\n".join(command.argv),
        "env": "\n".join(command.env.values()),
        "stdin": command.stdin,
        "files": "\n".join(command.files.values()),
    }


def secrets_of(agent: Agent) -> dict[str, str]:
    """A secret in every variable of the agent's own that may hold one."""
    names = [pattern.replace("*", "_API_KEY") for pattern in agent.env_patterns]
    return {name: SECRET for name in names if re.search("KEY|TOKEN|SECRET", name)}


def words_of(agent: Agent) -> list[str]:
    """The short strings in an adapter's source: the field names and values it looks for."""
    file = Path(inspect.getfile(type(agent)))
    own = file.parent.glob("*.py") if file.parent.name == agent.name else [file]
    sources = [f.read_text() for f in own]
    found = {w for source in sources for w in re.findall(r'"([\w./ -]{1,30})"', source)}
    assert agent.name in JUDGED_BY_CODE or len(found) > 30, "its source was not found"
    return sorted(found | {"type", "message", "content", "usage", "result"})


@cache
def lines_like(agent: Agent) -> st.SearchStrategy[bytes]:
    """Lines that look like the adapter's own stream and mean nothing."""
    words = st.sampled_from(words_of(agent))
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | words
    values = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
        max_leaves=8,
    )
    typed = st.builds(
        lambda kind, rest: {**rest, "type": kind}, words, st.dictionaries(words, values)
    )
    return (typed | values).map(lambda value: json.dumps(value).encode() + b"\n")


WRONG: tuple[Any, ...] = (None, 7, -0.5, True, "x", [], [None], ["x"], {}, {"x": None})


def damaged(value: Any) -> Iterator[Any]:
    """`value` with each part of it, in turn, replaced by each wrong value or left out."""
    yield from WRONG
    if isinstance(value, dict):
        for key, part in value.items():
            yield {k: v for k, v in value.items() if k != key}
            yield from ({**value, key: wrong} for wrong in damaged(part))
    elif isinstance(value, list):
        for index, part in enumerate(value[:2]):  # of many alike, two are enough
            yield from ([*value[:index], wrong, *value[index + 1 :]] for wrong in damaged(part))


class AgentConformance:
    """The suite. `agent` is a fixture or a parameter of the derived class."""

    # What it is.

    def test_it_says_what_it_is(self, agent: Agent) -> None:
        assert re.fullmatch(r"[a-z]+", agent.name)
        assert agent.title
        assert agent.install_hint
        assert isinstance(agent.capabilities, Capabilities)
        assert all(re.match(r"[A-Z]{3}", pattern) for pattern in agent.env_patterns)

    def test_find_looks_only_at_the_given_path(self, agent: Agent) -> None:
        for environ in ({"PATH": ""}, {"PATH": "/nonexistent"}, {}):
            assert (agent.find(environ) is None) is (agent.name not in BUILT_IN)

    def test_find_never_runs_anything(self, agent: Agent, tmp_path: Path) -> None:
        alarm = tmp_path / "it-ran"
        for name in {agent.name, "sh"}:
            fake = tmp_path / name
            fake.write_text(f"#!/bin/sh\ntouch {alarm}\n")
            fake.chmod(0o755)
        found = agent.find({"PATH": str(tmp_path), "HOME": str(tmp_path)})
        assert found is not None
        assert agent.name in BUILT_IN or found.path.parent == tmp_path
        assert not alarm.exists()

    def test_login_is_told_without_secrets(self, agent: Agent, tmp_path: Path) -> None:
        for environ in ({"HOME": str(tmp_path)}, {"HOME": str(tmp_path), **secrets_of(agent)}):
            login = agent.login(environ)
            assert isinstance(login, Login)
            assert SECRET not in f"{login.detail}{login.hint}"
            assert login.state is not LoginState.MISSING or login.hint
        assert list(tmp_path.iterdir()) == []

    # What it runs.

    def test_a_command_is_a_value(self, agent: Agent, tmp_path: Path) -> None:
        """Asking twice gives the same and touches nothing: the runner may ask again."""
        launch = launch_for(agent, tmp_path)
        command = agent.headless(launch)
        assert command == agent.headless(launch)
        assert list(tmp_path.iterdir()) == []
        assert str(launch.installed.path) in command.argv
        assert isinstance(command.stop_signal, StopSignal)

    def test_the_environment_is_the_given_one(
        self, agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "GITHUB_TOKEN", "FOREIGN"):
            monkeypatch.setenv(name, SECRET)
        for name in agent.env_patterns:
            monkeypatch.setenv(name.replace("*", "X"), SECRET)
        command = agent.headless(launch_for(agent, tmp_path))
        assert SECRET not in "".join(places(command).values())
        assert ENVIRON.keys() <= command.env.keys()

    def test_neither_prompt_nor_secret_is_on_the_command_line(
        self, agent: Agent, tmp_path: Path
    ) -> None:
        environ = {**ENVIRON, **secrets_of(agent)}
        launch = launch_for(agent, tmp_path, environ=environ, briefing=BRIEFING)
        command = agent.headless(launch)
        told = places(command)
        for line in (*PROMPT.splitlines(), SECRET):
            assert line not in told["argv"]
            assert line not in str([*command.files, *command.links])
        assert SECRET not in told["files"]

    def test_the_prompt_arrives_whole(self, agent: Agent, tmp_path: Path) -> None:
        if agent.name not in BUILT_IN:
            told = places(agent.headless(launch_for(agent, tmp_path)))
            assert PROMPT.strip() in told["stdin"] or PROMPT.strip() in told["files"]

    def test_what_it_writes_stays_in_the_sessions_own_folder(
        self, agent: Agent, tmp_path: Path
    ) -> None:
        launch = launch_for(agent, tmp_path, briefing=BRIEFING)
        for start in self._starts(agent, launch):
            for path in (*start.files, *start.links):
                assert launch.directory in path.parents, path
                assert ".." not in path.parts

    def test_a_model_is_passed_on_where_one_can_be_chosen(
        self, agent: Agent, tmp_path: Path
    ) -> None:
        command = agent.headless(launch_for(agent, tmp_path, model="model-of-choice"))
        told = "".join(places(command).values())
        assert ("model-of-choice" in told) is agent.capabilities.model

    def test_resuming_names_the_exact_session(self, agent: Agent, tmp_path: Path) -> None:
        launch = launch_for(agent, tmp_path, resume=True)
        if not agent.capabilities.resume:
            with pytest.raises(AgentError) as refused:
                agent.headless(launch)
            assert refused.value.hint
            return
        assert SESSION in "".join(places(agent.headless(launch)).values())

    def test_resuming_changes_no_permission(self, agent: Agent, tmp_path: Path) -> None:
        """All that differs is what names the session; sandbox, tools and settings stay."""
        launch = launch_for(agent, tmp_path)
        if not agent.capabilities.resume:
            with pytest.raises(AgentError):
                agent.headless(replace(launch, resume=True))
            return
        fresh, resumed = agent.headless(launch), agent.headless(replace(launch, resume=True))
        differs = set(fresh.argv) ^ set(resumed.argv)
        assert all(re.search(rf"resume|session|{SESSION}", word) for word in differs), differs
        assert fresh.env == resumed.env
        assert fresh.links == resumed.links
        assert fresh.files.keys() == resumed.files.keys()

    def test_at_a_terminal_stdin_is_the_persons(self, agent: Agent, tmp_path: Path) -> None:
        assert agent.capabilities.interactive
        command = agent.interactive(launch_for(agent, tmp_path))
        assert command.stdin == ""
        assert SECRET not in "".join(places(command).values())

    def test_a_redirected_cli_lives_in_the_given_home(self, agent: Agent, tmp_path: Path) -> None:
        url = "http://127.0.0.1:9"
        redirect = agent.redirect(url, tmp_path)
        assert redirect.env["HOME"] == str(tmp_path)
        assert all(tmp_path in path.parents for path in redirect.files)
        assert list(tmp_path.iterdir()) == []
        # What the allow-list would drop could not reach a session of the engine.
        assert allow(redirect.env, *agent.env_patterns) == redirect.env
        told = [*redirect.env.values(), *redirect.files.values()]
        assert any(url in text for text in told) is (agent.name not in BUILT_IN | JUDGED_BY_CODE)

    def test_it_reaches_what_its_base_url_names_and_else_its_provider(
        self, agent: Agent, tmp_path: Path
    ) -> None:
        redirect = agent.redirect("http://127.0.0.1:9", tmp_path / "there")
        materialise(redirect.files, {})
        asks = agent.dialect is not None
        assert agent.hosts(redirect.env) == (("127.0.0.1:9",) if asks else ())
        own = agent.hosts({"HOME": str(tmp_path)})
        assert bool(own) is asks
        assert all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+:443", host) for host in own)
        assert not any(re.fullmatch(r"[0-9.]+:443", host) for host in own)

    # How it reads.

    def test_an_empty_stream_proves_nothing(self, agent: Agent) -> None:
        if agent.name in JUDGED_BY_CODE:
            assert judge(agent, [], 0).outcome is Outcome.OK
        else:
            assert judge(agent, [], 0).outcome is Outcome.UNKNOWN
        verdict = judge(agent, [], None)
        assert verdict.outcome is Outcome.UNKNOWN
        assert verdict.reason
        assert (verdict.usage, verdict.final_message) == (Usage(), "")

    @pytest.mark.parametrize("code", [-9, -15, 1, 137])
    def test_an_ended_process_without_a_stream_is_no_success(self, agent: Agent, code: int) -> None:
        verdict = judge(agent, [], code, "segfault in the plumbing")
        assert verdict.outcome is not Outcome.OK
        assert verdict.reason

    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"\n",
            b"plain words\n",
            b'{"type": "resu',
            b"\xff\xfe\x00\n",
            b'{"type": "\xff"}\n',
            b"null\n",
            b"[]\n",
            b"{}\n",
            b'{"type": null}\n',
            b'{"type": {"type": "result"}}\n',
            b'{"type": "never.heard.of", "text": "x"}\n',
            b'{"type": "' + b"x" * 2_000_000 + b'"}\n',
            b"x" * 2_000_000 + b"\n",
            b"[" * 100_000 + b"\n",
        ],
        ids=lambda line: repr(line[:24]),
    )
    def test_a_line_that_means_nothing_is_skipped_and_counted(
        self, agent: Agent, line: bytes
    ) -> None:
        if agent.name in JUDGED_BY_CODE:
            reader = agent.reader()  # to it, any line is output
            assert all(event.kind is EventKind.TEXT for event in reader.feed(line))
            assert reader.skipped == 0
            return
        reader = agent.reader()
        assert list(reader.feed(line)) == []
        assert reader.skipped == (1 if line.strip() else reader.skipped)
        assert reader.verdict(0, "").outcome is not Outcome.OK

    @given(st.lists(st.binary(max_size=60), max_size=5), st.none() | st.integers(-64, 255))
    def test_no_bytes_break_the_reader(
        self, agent: Agent, lines: list[bytes], code: int | None
    ) -> None:
        verdict = judge(agent, lines, code)
        assert agent.name in JUDGED_BY_CODE or verdict.outcome is not Outcome.OK

    @given(data=st.data())
    def test_no_lookalike_breaks_the_reader(self, agent: Agent, data: st.DataObject) -> None:
        """Lines built of the adapter's own field names, with values of every wrong type."""
        reader = agent.reader()
        for line in data.draw(st.lists(lines_like(agent), max_size=5)):
            for event in reader.feed(line):
                assert isinstance(event, Event)
                assert isinstance(event.text, str)
                assert all(isinstance(name, str) for name in event.files)
        verdict = reader.verdict(data.draw(st.sampled_from([0, 1, -9, None])), "")
        # A supervisor writes it, and the worker reads it strictly.
        assert load(Verdict, json.loads(json.dumps(dump(verdict))), "a verdict") == verdict

    # Its parts, as far as it has them.

    def test_versions_are_told_apart(self, agent: Agent) -> None:
        if agent.certified is not None:
            assert agent.certified.standing(agent.certified.oldest) is VersionStatus.TRIED
            assert agent.certified.standing(agent.certified.newest) is VersionStatus.TRIED
        for defect in agent.defects:
            assert re.search(r"on 20\d\d-\d\d-\d\d", defect.source)
            assert defect.affects(defect.since or "0.0.1")
            assert not defect.until or not defect.affects(defect.until)
            assert defect.harmless is None or defect.harmless({"HOME": "/nowhere"}, ()) in {
                True,
                False,
            }

    def test_prices_are_dated(self, agent: Agent) -> None:
        if agent.prices is not None:
            assert re.fullmatch(r"20\d\d-\d\d-\d\d", agent.prices.date)
            assert agent.prices.models
            assert agent.prices.faster.keys() <= agent.prices.models.keys()
            assert all(min(price) >= 0 for price in agent.prices.models.values())

    def test_variables_are_named_that_globs_stand_for(self, agent: Agent) -> None:
        globs = [pattern for pattern in agent.env_patterns if "*" in pattern]
        assert bool(globs) <= bool(agent.env_names)
        assert all(any(fnmatchcase(n, pattern) for pattern in globs) for n in agent.env_names)

    def test_a_private_home_is_where_its_files_and_variables_point(
        self, agent: Agent, tmp_path: Path
    ) -> None:
        if agent.private_home:
            launch = launch_for(agent, tmp_path, briefing=BRIEFING)
            for start in self._starts(agent, launch):
                assert str(launch.directory / agent.private_home) in start.env.values()

    def test_its_briefing_file_is_a_plain_name(self, agent: Agent) -> None:
        if agent.briefing is not None:
            assert Path(agent.briefing.name).name == agent.briefing.name
            assert bool(agent.briefing.instead) is bool(agent.briefing.since)

    def test_no_records_are_found_where_there_are_none(self, agent: Agent, tmp_path: Path) -> None:
        if agent.records is not None:
            environ = {"HOME": str(tmp_path)}
            assert all(tmp_path in root.parents for root in agent.records.roots(environ))
            assert list(agent.records.scan(environ, (tmp_path / "cli",))) == []
            assert agent.records.children(tmp_path / "none") == []
            read = agent.records.read(tmp_path / "none")
            assert (read.agent, read.events) == (agent.name, ())

    @given(data=st.data())
    def test_no_line_breaks_the_records(
        self, agent: Agent, tmp_path: Path, data: st.DataObject
    ) -> None:
        if agent.records is None:
            return
        path = tmp_path / "any.jsonl"
        events, spending = agent.records.Events(path), agent.records.Spending(path, None)
        lines = st.binary(max_size=60) | lines_like(agent)
        for line in data.draw(st.lists(lines, max_size=5)):
            told = [*events.feed(line), *spending.feed(line)]
            assert all(isinstance(one.at, float) for one in told)
            assert agent.records.carries(line) in {True, False}
        assert events.skipped >= 0
        assert spending.skipped >= 0
        assert all(isinstance(one, str) for one in spending.warnings)
        json.dumps(spending.state)

    def test_what_it_deletes_can_be_kept(self, agent: Agent, tmp_path: Path) -> None:
        kept = agent.retention({"HOME": str(tmp_path)})
        if kept is not None:
            assert agent.records is not None
            assert kept.days > 0
            assert str(tmp_path) in kept.change

    def test_it_is_connected_in_the_given_places(self, agent: Agent, tmp_path: Path) -> None:
        if agent.connection is None:
            return
        assert agent.connection.WAIT > 0
        assert isinstance(agent.connection.SESSION, str)
        assert isinstance(agent.connection.FOLDER, str)
        scratch, home, top = (tmp_path / name for name in ("scratch", "home", "top"))
        for where, own in ((None, home), (top, top)):
            wanted = Wanted(("/bin/abreast", "mcp"), {"HOME": str(home)}, scratch, where)
            found = agent.connection.registration(wanted)
            assert own in found.config.parents
            assert own in found.skills.parents
            assert scratch in found.written.parents
            assert all(scratch in path.parents for path in found.files)
            assert found.keys[-1] == NAME
            assert "/bin/abreast" in " ".join(found.command)
        assert list(tmp_path.iterdir()) == []

    def test_its_ending_hook_runs_the_command(self, agent: Agent, tmp_path: Path) -> None:
        if agent.ending_hook is not None:
            hook = agent.ending_hook("abreast --hooked", {"HOME": str(tmp_path)})
            assert tmp_path in hook.config.parents
            assert hook.group["hooks"][0]["command"] == "abreast --hooked"
            assert isinstance(hook.beside(0), dict)
            off: Any = hook.off_value
            for key in reversed(hook.off):
                off = {key: off}
            assert hook.hooks_off(off) == ".".join(hook.off)
            assert hook.hooks_off({}) == ""

    def test_the_loopback_speaks_its_dialect(self, agent: Agent) -> None:
        assert (agent.dialect is not None) is agent.capabilities.model
        if agent.dialect is not None:
            assert not agent.dialect.recognises(Request("GET", "/nowhere/at/all", "", {}, {}))
            assert agent.dialect.error(503, "later", "overloaded").status == 503
            made = Request("POST", "/", "", {}, {})
            assert len([*agent.dialect.stream(made, Reply("hi"))]) >= 2

    def _starts(self, agent: Agent, launch: Launch) -> list[Command]:
        starts = [agent.headless(launch)]
        if agent.capabilities.resume:
            starts.append(agent.headless(replace(launch, resume=True)))
        if agent.capabilities.interactive:
            starts.append(agent.interactive(launch))
        return starts
