"""A child that the real Gemini CLI is, and messages to a session of it that runs."""

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abreast.agents import mailbox
from abreast.agents.base import Child, Launch
from abreast.agents.gemini.agent import AGENT
from abreast.agents.gemini.profile import READING
from abreast.contract.ask import again, question
from abreast.contract.judge import judge
from abreast.contract.shapes import schema_of
from abreast.engine.working.session.prompts import read_briefing
from abreast.loopback.dialect import RecordedRequest
from abreast.loopback.server import Loopback
from abreast.model.events import EventKind, Outcome
from abreast.model.limits import Profile
from abreast.model.moves import Call, Move, Read, Say, Scenario, Shell, Spend, Write
from abreast.model.task import Contract
from abreast.process.files import materialise
from tests.support.clis import Ran, cli_environ, make_launch, run_cli
from tests.support.deadlines import SECONDS, eventually
from tests.support.repos import Repo

pytestmark = pytest.mark.clis

CONTRACT = Contract("What does SCENARIO greet with?", scope=("src",), returns="bullets")
READS = Child(schema_of("bullets"))
WRITES = replace(READS, edits=True)
ANSWER = {"bullets": ["'hello': src/app.py:2"], "nothing_found": None}
FOREIGN = "FOREIGN-TEXT"
ALL = {*READING, "write_file", "replace", "run_shell_command"}


class Bench:
    """One repository, one scratch home, one model server."""

    def __init__(self, tmp: Path, repo: Repo, server: Loopback) -> None:
        self.tmp, self.repo, self.server = tmp, repo, server
        self.home = tmp / "gemini-user"
        self.environ = cli_environ(AGENT, server.url, self.home) | {"ABREAST_RETRIES": "1"}
        self.mailbox = tmp / "session" / "mailbox"

    def launch(self, **more: Any) -> Launch:
        given = {"prompt": question(CONTRACT), "child": READS, "mailbox": self.mailbox} | more
        return make_launch(AGENT, self.environ, self.tmp / "session", self.repo.path, **given)

    def play(self, *moves: Move, name: str = "SCENARIO", **more: Any) -> Ran:
        self.server.add(Scenario(name, moves))
        return self.run(self.launch(**more))

    def run(self, launch: Launch) -> Ran:
        ran = run_cli(AGENT, launch)
        assert not ran.late
        assert ran.reader.skipped == 0
        assert self.server.egress == []
        # As a runner does, whose environment is that of the CLI.
        reader = AGENT.reader(ran.command.env)
        for line in ran.lines:
            list(reader.feed(line))
        return replace(ran, verdict=reader.verdict(ran.code, ran.stderr))

    def own(self, files: Mapping[str, str]) -> None:
        """Put files into the user's own folder of the CLI."""
        materialise({self.home / ".gemini" / name: text for name, text in files.items()}, {})

    def post(self, text: str) -> int:
        return mailbox.post(self.mailbox, AGENT.letter(text), text)

    @property
    def turns(self) -> list[RecordedRequest]:
        return [r for r in self.server.requests if r.step is not None]

    def traps(self) -> None:
        """Everything that a user's home and a repository can hold to change a session."""
        alarm = ["/bin/sh", "-c", f"touch {self.tmp}/it-ran"]
        server = {"trap": {"command": alarm[0], "args": alarm[1:], "trust": True}}
        hook = {"hooks": [{"type": "command", "command": f"touch {self.tmp}/it-ran"}]}
        settings = {"mcpServers": server, "hooks": {"SessionStart": [hook], "BeforeModel": [hook]}}
        front = f"---\nname: foreign\ndescription: {FOREIGN}\n---\n{FOREIGN}\n"
        files = {
            "GEMINI.md": FOREIGN,
            "settings.json": json.dumps(settings),
            "agents/foreign.md": front,
            "skills/foreign/SKILL.md": front,
            "commands/foreign.toml": f'prompt = "{FOREIGN}"',
            "extensions/foreign/gemini-extension.json": json.dumps(
                {"name": "foreign", "version": "1.0.0", "mcpServers": server}
            ),
            "extensions/foreign/GEMINI.md": FOREIGN,
        }
        self.own(files)
        own = {f".gemini/{name}": text for name, text in files.items()}
        own |= {"GEMINI.md": FOREIGN, "src/GEMINI.md": FOREIGN, ".gemini/system.md": FOREIGN}
        own |= {".gemini/.env": "GEMINI_CLI_TRUST_WORKSPACE=true\nGEMINI_SYSTEM_MD=true\n"}
        self.repo.commit("traps", own)


@pytest.fixture
def bench(tmp_path: Path, repo: Repo):
    with Loopback() as server:
        yield Bench(tmp_path, repo, server)


def size(request: RecordedRequest) -> int:
    """Tokens of the whole body, by its characters."""
    return len(json.dumps(request.body, ensure_ascii=False)) // 4


def declared(request: RecordedRequest) -> set[str]:
    return {f["name"] for t in request.body["tools"] for f in t["functionDeclarations"]}


def said_to_model(request: RecordedRequest) -> str:
    return json.dumps(request.body, ensure_ascii=False)


def system(request: RecordedRequest) -> str:
    return "".join(part["text"] for part in request.body["systemInstruction"]["parts"])


def tree(repo: Repo) -> str:
    return repo.git("status", "--porcelain", "--ignored") + repo.git("stash", "create")


def test_a_lean_child_is_small_and_nothing_foreign_is_in_it(bench: Bench) -> None:
    bench.traps()
    ran = bench.play(
        Spend(1500, 0, 20),
        Read("src/app.py"),
        Spend(1700, 400, 30),
        Call("grep_search", {"pattern": "greet"}),
        Spend(1900, 900, 40),
        Say(json.dumps(ANSWER)),
    )
    assert ran.verdict.outcome is Outcome.OK, (ran.verdict, ran.stderr)
    assert judge(ran.verdict.answer, CONTRACT).value == ANSWER
    assert (ran.verdict.start_up, ran.verdict.context) == (1500, 1940)

    first, *_, last = bench.turns
    assert declared(first) == set(READING)
    assert size(first) <= 3500
    assert size(first) <= AGENT.start_up
    assert system(first).startswith("You answer one question")
    # Which model to take is not asked, and nothing else besides.
    assert bench.server.requests == bench.turns
    assert "gemini" in first.path
    assert "flash" in first.path
    assert "return 'hello'" in said_to_model(last)
    assert "L1: def greet" in said_to_model(last)
    for request in bench.turns:
        assert FOREIGN not in said_to_model(request)
    assert not (bench.tmp / "it-ran").exists()
    assert tree(bench.repo) == ""


def test_a_full_child_has_the_clis_own_instructions_and_still_only_reads(bench: Bench) -> None:
    bench.traps()
    full = replace(READS, profile=Profile.FULL)
    ran = bench.play(Write("new.txt", "x"), Say("no"), child=full)
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert declared(bench.turns[0]) == set(READING)
    assert size(bench.turns[0]) > 5000
    assert "You are Gemini CLI" in system(bench.turns[0])
    assert FOREIGN not in said_to_model(bench.turns[0])
    assert tree(bench.repo) == ""


def test_a_briefed_child_has_the_users_and_the_projects_instructions_once(bench: Bench) -> None:
    bench.own({"GEMINI.md": "USERS-RULE"})
    bench.repo.commit("briefing", {"GEMINI.md": "GEMINI-RULE\n", "AGENTS.md": "AGENTS-RULE\n"})
    ran = bench.play(Say(json.dumps(ANSWER)), briefing=read_briefing(bench.repo.path))
    assert ran.verdict.outcome is Outcome.OK
    told = said_to_model(bench.turns[0])
    for rule in ("USERS-RULE", "GEMINI-RULE", "AGENTS-RULE"):
        assert told.count(rule) == 1, rule


def test_a_wrong_answer_is_mended_in_the_same_session(bench: Bench) -> None:
    wrong = bench.play(Spend(1500), Read("src/app.py"), Spend(1700), Say('{"bullets": "hello"}'))
    judged = judge(wrong.verdict.answer, CONTRACT)
    assert judged.problems
    prompt = f"MENDING\n{again(judged.problems, CONTRACT)}"
    begun = len(bench.turns)
    mended = bench.play(
        Spend(2100, 1700, 60),
        Say(f"```json\n{json.dumps(ANSWER)}\n```"),
        name="MENDING",
        prompt=prompt,
        cli_session=wrong.verdict.cli_session,
        resume=True,
    )
    assert mended.verdict.outcome is Outcome.OK
    assert mended.verdict.cli_session == wrong.verdict.cli_session
    assert judge(mended.verdict.answer, CONTRACT).value == ANSWER
    # Those of this process, though the record has the first one's too.
    assert (mended.verdict.start_up, mended.verdict.context) == (2100, 2160)
    [request] = bench.turns[begun:]
    seen = said_to_model(request)
    assert CONTRACT.question in seen
    assert "return 'hello'" in seen
    assert judged.problems[0] in "".join(
        part.get("text", "") for part in request.body["contents"][-1]["parts"]
    )
    assert declared(request) == set(READING)
    assert system(request) == system(bench.turns[0])


@pytest.mark.parametrize(
    ("move", "denial"),
    [
        (Write("src/app.py", "gone"), "write src/app.py: it may only read"),
        (Shell("echo gone > src/app.py"), "run echo gone > src/app.py: it may only read"),
        (Call("invoke_agent", {"agent_name": "generalist", "prompt": "x"}), "invoke_agent"),
    ],
    ids=["write", "shell", "agent"],
)
def test_what_a_reading_child_may_not_do_is_told(bench: Bench, move: Move, denial: str) -> None:
    ran = bench.play(move, Say(json.dumps(ANSWER)))
    assert ran.verdict.outcome is Outcome.BLOCKED
    assert len(ran.verdict.denials) == 1
    assert ran.verdict.denials[0].startswith(denial)
    assert ran.verdict.denials[0] in ran.verdict.reason
    assert [e.text for e in ran.of(EventKind.DENIED)] == list(ran.verdict.denials)
    assert judge(ran.verdict.answer, CONTRACT).value == ANSWER
    assert tree(bench.repo) == ""


def test_a_child_with_a_worktree_of_its_own_may_edit(bench: Bench) -> None:
    moves = (Write("new.txt", "N\n"), Shell("git log -1 --format=%s > log.txt"), Say("done"))
    ran = bench.play(*moves, child=WRITES)
    assert ran.verdict.outcome is Outcome.OK, ran.verdict
    assert (bench.repo.path / "new.txt").read_text() == "N\n"
    assert (bench.repo.path / "log.txt").read_text() == "start\n"
    assert declared(bench.turns[0]) == ALL
    assert system(bench.turns[0]).startswith("You do one task")
    assert size(bench.turns[0]) <= 5000


@pytest.mark.parametrize("named", ["argument", "variable", "settings"])
def test_the_users_choice_of_model_is_the_childs(bench: Bench, named: str) -> None:
    more = {"model": "gemini-mine"} if named == "argument" else {}
    if named == "variable":
        bench.environ["GEMINI_MODEL"] = "gemini-mine"
    if named == "settings":
        bench.own({"settings.json": '{"model": {"name": "gemini-mine"}}'})
    bench.play(Say(json.dumps(ANSWER)), **more)
    assert "models/gemini-mine:" in bench.turns[0].path


def test_a_question_that_begins_with_a_slash_is_no_command(bench: Bench) -> None:
    ran = bench.play(Say(json.dumps(ANSWER)), prompt="/help SCENARIO")
    assert ran.verdict.outcome is Outcome.OK
    assert "/help SCENARIO" in said_to_model(bench.turns[0])


def test_all_of_a_long_answer_is_gathered(bench: Bench) -> None:
    lines = [f"src/part_{n}/app.py:{n * 7}: calls pandas.concat on {n**3} rows" for n in range(300)]
    many = {"bullets": lines, "nothing_found": None}
    ran = bench.play(Say("I look."), Read("src/app.py"), Say(json.dumps(many)))
    assert judge(ran.verdict.answer, CONTRACT).value == many
    assert "I look." not in ran.verdict.answer


# Messages while it runs.


def test_mail_is_heard_after_the_tool_call_that_runs(bench: Bench) -> None:
    """An ordinary session: the message is posted while its command runs."""
    go = bench.tmp / "go"
    waiting = f"touch {go}.wanted; until [ -e {go} ]; do sleep 0.05; done"
    bench.server.add(Scenario("SCENARIO", (Shell(waiting), Say("end"))))
    ended: list[Ran] = []
    session = threading.Thread(
        target=lambda: ended.append(bench.run(bench.launch(child=None, prompt="SCENARIO")))
    )
    session.start()
    try:
        eventually(lambda: Path(f"{go}.wanted").exists(), "the command runs")
        number = bench.post('LETTER "one"\n<b>')
        assert mailbox.taken(bench.mailbox, number) == ""
    finally:
        go.touch()
        session.join(SECONDS)
    [ran] = ended
    assert mailbox.taken(bench.mailbox, number) == mailbox.TOOL
    assert (ran.verdict.outcome, ran.verdict.final_message) == (Outcome.OK, "end")
    assert ran.of(EventKind.WARNING) == []
    assert len(bench.turns) == 2
    assert "LETTER" not in said_to_model(bench.turns[0])
    heard = said_to_model(bench.turns[1])
    assert heard.count("LETTER") == 1
    assert "<hook_context>" in heard
    assert not set(ALL) ^ declared(bench.turns[0])


def test_a_reading_child_hears_one_letter_after_each_call(bench: Bench) -> None:
    for text in ("LETTER-ONE", "LETTER-TWO"):
        bench.post(text)
    answered = Say(json.dumps(ANSWER))
    ran = bench.play(Read("src/app.py"), Call("list_directory", {"dir_path": "src"}), answered)
    assert ran.verdict.outcome is Outcome.OK
    counts = [
        [said_to_model(turn).count(text) for text in ("LETTER-ONE", "LETTER-TWO")]
        for turn in bench.turns
    ]
    assert counts == [[0, 0], [1, 0], [1, 1]]
    assert mailbox.pending(bench.mailbox) == []


@pytest.mark.parametrize("child", [READS, WRITES, None], ids=["reads", "writes", "task"])
def test_mail_at_the_end_of_a_turn_makes_another(bench: Bench, child: Child | None) -> None:
    text = "LETTER-ONE: Loop detected <i>"
    number = bench.post(text)
    mended = Say(json.dumps(ANSWER))
    bench.server.add(Scenario("LETTER-ONE", (Spend(1800), Read("src/app.py"), Spend(2000), mended)))
    ran = bench.play(Spend(1500), Say("I am done."), child=child)
    assert mailbox.taken(bench.mailbox, number) == mailbox.TURN
    assert (ran.code, ran.verdict.outcome) == (0, Outcome.OK), ran.verdict
    assert ran.of(EventKind.WARNING) == ran.of(EventKind.ERROR) == []
    assert len(bench.turns) == ran.verdict.turns == sum(e.turns for e in ran.events) == 3
    assert [e.text for e in ran.of(EventKind.TEXT)] == ["I am done.", json.dumps(ANSWER)]
    assert text in bench.turns[1].body["contents"][-1]["parts"][-1]["text"]
    assert judge(ran.verdict.answer, CONTRACT).value == ANSWER
    assert (ran.verdict.start_up, ran.verdict.context) == (1500, 2050)


def test_what_was_answered_before_a_letter_is_kept(bench: Bench) -> None:
    bench.post("LETTER-ONE")
    bench.server.add(Scenario("LETTER-ONE", (Say("Noted."),)))
    ran = bench.play(Say(json.dumps(ANSWER)))
    assert ran.verdict.final_message == "Noted."
    assert ran.verdict.answer == f"{json.dumps(ANSWER)}\nNoted."
    assert judge(ran.verdict.answer, CONTRACT).value == ANSWER


def test_in_a_task_hooks_of_others_still_do_not_run(bench: Bench) -> None:
    bench.traps()
    bench.post("LETTER-ONE")
    ran = bench.play(Read("src/app.py"), Say("end"), child=None, prompt="SCENARIO")
    assert ran.verdict.outcome is Outcome.OK
    assert "LETTER-ONE" in said_to_model(bench.turns[-1])
    assert not (bench.tmp / "it-ran").exists()
    # What a child is spared: here the repository's GEMINI.md are read, at its root and in `src`.
    seen = [said_to_model(turn).count(FOREIGN) for turn in bench.turns]
    assert seen[0] < seen[1]
    assert seen[0] > 0
