"""The real Codex CLI as a delegation's child, and the letters that reach it while it works."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from abreast.agents import mailbox
from abreast.agents.base import Child
from abreast.agents.codex.agent import AGENT
from abreast.contract.shapes import PRESETS
from abreast.loopback.dialect import RecordedRequest
from abreast.model.events import EventKind, Outcome
from abreast.model.limits import Profile
from abreast.model.moves import Move, Say, Scenario, Shell, Spend, Write
from tests.agents.codex.desk import NEWER, OLDER, Desk, both_models, open_desk, server
from tests.support.clis import Ran, run_cli
from tests.support.deadlines import SECONDS, eventually

pytestmark = pytest.mark.clis

BULLETS = PRESETS["bullets"]
FOUND = '{"bullets": ["src/app.py"], "nothing_found": null}'
AIM = 5000  # tokens of a lean child's first request


@pytest.fixture
def desk(scratch_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with open_desk(monkeypatch) as desk:
        yield desk


def ask(desk: Desk, question: str, *moves: Move, **more: Any) -> Ran:
    """Ask a child, by default one that reads and is lean."""
    return desk.run(question, *moves, **{"child": Child(BULLETS), **more})


def wire(request: RecordedRequest) -> str:
    return json.dumps(request.body, separators=(",", ":"), ensure_ascii=False)


def text_format(request: RecordedRequest) -> dict[str, Any]:
    found = request.body["text"]["format"]
    assert isinstance(found, dict)
    return found


def state_of(tree: Path) -> str:
    """Everything in a checkout that git can tell, and the content of its files."""
    shown = subprocess.run(
        ["git", "status", "--porcelain", "--ignored"], cwd=tree, capture_output=True, check=True
    )
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    return shown.stdout.decode() + "".join(f"{path}: {path.read_text()}" for path in files)


@both_models
def test_it_answers_under_the_schema(desk: Desk, model: str) -> None:
    first, last = Spend(3000, 0, 40), Spend(3500, 3000, 60)
    ran = ask(desk, "who greets?", first, Shell("cat src/app.py"), last, Say(FOUND), model=model)
    verdict = ran.verdict
    assert (verdict.outcome, verdict.answer) == (Outcome.OK, FOUND)
    assert (verdict.start_up, verdict.context) == (3000, 3560)
    assert "def greet" in desk.told()[0]
    for request in desk.turns():
        told = text_format(request)
        assert (told["type"], told["strict"]) == ("json_schema", True)
        assert set(told["schema"]["properties"]) == set(BULLETS["properties"])
        assert "minLength" not in json.dumps(told)
    assert [e for e in ran.events if e.kind in {EventKind.WARNING, EventKind.ERROR}] == []
    assert ran.reader.skipped == 0


def test_without_a_fit_schema_the_prompt_has_to_ask(desk: Desk) -> None:
    loose = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert not AGENT.takes(loose)
    ran = ask(desk, "loosely?", Say('{"a": "b"}'), child=Child(loose))
    assert (ran.verdict.outcome, ran.verdict.answer) == (Outcome.OK, '{"a": "b"}')
    assert "format" not in desk.turns()[0].body["text"]


def test_a_wrong_answer_is_mended_in_the_same_session(desk: Desk) -> None:
    wrong = '{"bullets": "src/app.py"}'
    first = ask(desk, "who greets?", Spend(2000, 0, 10), Say(wrong))
    again = ask(
        desk,
        "bullets: it is no array",
        Spend(2600, 2000, 20),
        Say(FOUND),
        cli_session=first.verdict.cli_session,
        resume=True,
    )
    assert (first.verdict.answer, again.verdict.answer) == (wrong, FOUND)
    assert again.verdict.cli_session == first.verdict.cli_session
    assert (again.verdict.start_up, again.verdict.context) == (2600, 2620)
    before, after = desk.turns()
    said = json.dumps(after.body["input"])
    assert all(said.count(text) == 1 for text in ("who greets?", "bullets: it is no array"))
    assert json.dumps(wrong)[1:-1] in wire(after)
    assert text_format(after) == text_format(before)
    assert after.body["prompt_cache_key"] == before.body["prompt_cache_key"]
    assert after.body.get("tools") == before.body.get("tools")


@both_models
@pytest.mark.parametrize("by", ["shell", "git", "/tmp", "patch"])
def test_a_reader_writes_nowhere(desk: Desk, by: str, model: str) -> None:
    scratch = Path("/tmp") / f"abreast-{uuid.uuid4().hex}"
    move = {
        "shell": Shell("echo x > new.txt"),
        "git": Shell("git commit -q --allow-empty -m mine"),
        "/tmp": Shell(f"echo x > {scratch}"),
        "patch": Write("new.txt", "x\n"),
    }[by]
    before, heads = state_of(desk.tree), desk.repo.git("rev-parse", "--all")
    ran = ask(desk, "write it down", move, Say(FOUND), model=model)
    assert state_of(desk.tree) == before
    assert desk.repo.git("rev-parse", "--all") == heads
    assert not scratch.exists()
    verdict = ran.verdict
    assert (verdict.outcome, verdict.answer) == (Outcome.BLOCKED, FOUND)
    assert verdict.denials[0] in verdict.reason
    assert "reads" in (verdict.hint or "")


def test_a_reader_reads_the_tree_and_its_history_and_not_the_login(desk: Desk) -> None:
    desk.home.joinpath(".codex").mkdir(parents=True)
    login = desk.home / ".codex/auth.json"
    login.write_text('{"OPENAI_API_KEY": "login-canary"}')
    port = desk.server.url.rsplit(":", 1)[1]
    (desk.tree / "new.txt").write_text("not yet added\n")
    history = "git log --format=%s; git status --short; git blame -s src/app.py; git diff --stat"
    ran = ask(
        desk,
        "look around",
        Shell(f"{history}; echo all-read"),
        Shell(f"cat {login}; echo tried"),
        Shell(f"(echo > /dev/tcp/127.0.0.1/{port}) && echo reached; true"),
        Say(FOUND),
    )
    seen, tried, called = desk.told()
    assert all(text in seen for text in ("start", "?? new.txt", "def greet", "all-read"))
    assert "tried" in tried
    assert "login-canary" not in tried
    assert "reached" not in called
    assert ran.verdict.outcome is Outcome.OK


@both_models
def test_a_child_that_edits_writes_in_its_tree_only(desk: Desk, model: str) -> None:
    outside = desk.root / "outside.txt"
    ran = ask(
        desk,
        "change it",
        Write("made.txt", "1\n"),
        Shell(f"echo x > {outside}"),
        Say(FOUND),
        child=Child(BULLETS, edits=True),
        model=model,
    )
    assert (desk.tree / "made.txt").read_text() == "1\n"
    assert not outside.exists()
    assert (ran.verdict.outcome, ran.verdict.answer) == (Outcome.BLOCKED, FOUND)
    assert len(wire(desk.turns()[0])) / 4 <= AIM


@both_models
def test_its_first_request_is_small(desk: Desk, model: str) -> None:
    asked = "Find every use of pandas in src/features. " * 10
    ask(desk, asked, Say(FOUND), model=model, child=Child(PRESETS["findings"]))
    size = len(wire(desk.turns()[0])) / 4
    assert size <= min(AIM, AGENT.start_up), f"{model}: {size} tokens"
    assert AGENT.start_up <= AIM


def make_skill(folder: Path) -> None:
    folder.mkdir(parents=True)
    text = "---\nname: skill-canary\ndescription: Does everything.\n---\nDo it.\n"
    (folder / "SKILL.md").write_text(text)


def equip(desk: Desk) -> tuple[str, Path]:
    """Give the user an MCP server and skills, the repository a skill and instructions."""
    mark = desk.root / "server-started"
    make_skill(desk.home / ".codex/skills/skill-canary")
    make_skill(desk.tree / ".agents/skills/skill-canary")
    (desk.tree / "AGENTS.md").write_text("briefing-canary\n")
    features = "multi_agent_v2 = true\nmemories = true\n"  # the table is open
    more = "\n[tools]\nupdate_plan = { enabled = true }\n[agents]\nenabled = true\n"
    return features + server("abreast", mark) + more, mark


def test_it_has_the_tools_it_needs_and_no_other(desk: Desk) -> None:
    config, mark = equip(desk)
    ask(desk, "who greets?", Shell("sleep 1"), Say(FOUND), config=config)
    request = desk.turns()[0]
    names = [tool["name"] for tool in request.body["tools"]]
    assert names == ["exec_command", "write_stdin", "apply_patch"]
    assert "canary" not in wire(request)
    assert not mark.exists()


def test_a_newer_model_hears_of_no_other_tools_either(desk: Desk) -> None:
    config, mark = equip(desk)
    ask(desk, "who greets?", Shell("sleep 1"), Say(FOUND), config=config, model=NEWER)
    told = wire(desk.turns()[0])
    assert "exec_command" in told
    for word in (
        "canary",
        "spawn_agent",
        "mcp__abreast",
        "update_plan",
        "view_image",
        "web_search",
    ):
        assert word not in told
    assert not mark.exists()


def test_the_fuller_profile_has_codexs_own_instructions(desk: Desk) -> None:
    """And the test above would fail if it could: there the canary sings."""
    config, mark = equip(desk)
    child = Child(BULLETS, profile=Profile.FULL)
    ran = ask(desk, "who greets?", Write("a.txt", "a"), Say(FOUND), config=config, child=child)
    told = wire(desk.turns()[0])
    assert len(told) / 4 > AIM
    assert "You are Codex" in told
    assert "skill-canary" in told
    assert "spawn_agent" not in told
    assert text_format(desk.turns()[0])["strict"]
    assert ran.verdict.outcome is Outcome.BLOCKED, "it only reads all the same"
    assert not mark.exists()


# Letters.

UNTIL = "until [ -e go ]; do sleep 0.05; done; echo went"


@pytest.mark.parametrize("child", [Child(BULLETS), None], ids=["child", "session"])
@both_models
def test_a_letter_arrives_after_the_running_tool_call(
    desk: Desk, model: str, child: Child | None
) -> None:
    box = desk.root / "session/mailbox"  # made by the first letter
    text = 'Letter-canary: "quotes", ünïcode\nand lines. ' + "x" * 20_000
    desk.server.add(Scenario("work", (Shell(UNTIL), Say(FOUND))))
    launch = desk.launch("work", model=model, child=child, mailbox=box)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_cli, AGENT, launch)
        eventually(desk.turns, "the first request")
        number = mailbox.post(box, AGENT.letter(text), text)
        (desk.tree / "go").touch()
        ran = running.result(SECONDS)
    first, second = desk.turns()
    assert "Letter-canary" not in wire(first)
    (told,) = (item for item in second.body["input"] if "Letter-canary" in json.dumps(item))
    assert (told["role"], told["content"][0]["text"]) == ("developer", text)
    assert mailbox.taken(box, number) == mailbox.TOOL
    assert (ran.verdict.outcome, ran.verdict.answer) == (Outcome.OK, FOUND)
    assert [e for e in ran.events if e.kind in {EventKind.WARNING, EventKind.ERROR}] == []
    assert ran.reader.skipped == 0


def test_a_letter_at_the_end_of_a_turn_makes_another(desk: Desk) -> None:
    box = desk.root / "session/mailbox"
    desk.server.add(Scenario("also greet Ada", (Shell("cat README.md"), Say("Ada too."))))
    number = mailbox.post(box, AGENT.letter("also greet Ada"), "also greet Ada")
    ran = ask(desk, "who greets?", Say(FOUND), mailbox=box)
    assert mailbox.taken(box, number) == mailbox.TURN
    first, second, third = desk.turns()
    assert "also greet Ada" not in wire(first)
    told = [item for item in second.body["input"] if "also greet Ada" in json.dumps(item)]
    assert [item["role"] for item in told] == ["user"]
    assert "format" in third.body["text"]
    assert (ran.verdict.outcome, ran.verdict.answer) == (Outcome.OK, "Ada too.")
    assert (ran.verdict.turns, ran.verdict.start_up) == (3, 1000)
    assert len(ran.of(EventKind.RESULT)) == 1


def test_an_answer_in_parts_is_gathered_whole(desk: Desk) -> None:
    box = desk.root / "session/mailbox"
    desk.server.add(Scenario("go on", (Say('"b"], "nothing_found": null}'),)))
    mailbox.post(box, AGENT.letter("go on"), "go on")
    ran = ask(desk, "list", Shell("true"), Say('{"bullets": ["a",'), mailbox=box)
    # The first hook that looks is the one after the tool call.
    assert ran.verdict.answer == '{"bullets": ["a",'
    mailbox.post(box, AGENT.letter("go on"), "go on")
    ran = ask(desk, "list again", Say('{"bullets": ["a",'), mailbox=box)
    assert json.loads(ran.verdict.answer)["bullets"] == ["a", "b"]


def test_the_mailbox_lets_no_other_hook_in(desk: Desk) -> None:
    """Hooks that nobody has trusted stay out, the user's as well as the repository's."""
    marks = {name: desk.root / f"{name}-ran" for name in ("own", "repo", "json")}

    def hook(name: str) -> str:
        command = json.dumps(f"touch {marks[name]}")
        return f'\n[[hooks.PostToolUse]]\nhooks = [{{ type = "command", command = {command} }}]\n'

    folder = desk.tree / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(hook("repo"))
    handler = {"type": "command", "command": f"touch {marks['json']}"}
    (folder / "hooks.json").write_text(json.dumps({"hooks": {"Stop": [{"hooks": [handler]}]}}))
    trust = f'\n[projects."{desk.repo.path}"]\ntrust_level = "trusted"\n'
    box = desk.root / "session/mailbox"
    number = mailbox.post(box, AGENT.letter("Letter-canary"), "Letter-canary")
    ran = ask(desk, "work", Shell("true"), Say(FOUND), mailbox=box, config=hook("own") + trust)
    assert ran.verdict.outcome is Outcome.OK
    assert mailbox.taken(box, number) == mailbox.TOOL
    assert [name for name, mark in marks.items() if mark.exists()] == []


def test_those_hooks_would_run_without_the_question_of_trust(desk: Desk) -> None:
    """The test above would fail if it could: the same hook, all hooks trusted."""
    mark = desk.root / "own-ran"
    config = f'\n[[hooks.Stop]]\nhooks = [{{ type = "command", command = "touch {mark}" }}]\n'
    desk.server.add(Scenario("work", (Say(FOUND),)))
    launch = desk.launch("work", config=config, model=OLDER)
    argv = [str(launch.installed.path), "exec", "--dangerously-bypass-hook-trust", "work"]
    subprocess.run(
        argv,
        cwd=desk.tree,
        env=dict(launch.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    assert mark.exists()
