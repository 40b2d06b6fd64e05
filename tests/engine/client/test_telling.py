"""What is said to a session: it waits for a hook, goes along with the next prompt, or is told."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from abreast import api
from abreast.agents import mailbox
from abreast.agents.base import Letter
from abreast.agents.scripted import ScriptedAgent
from abreast.engine.client.requests import connect
from abreast.engine.working.session.agent import letters
from abreast.engine.working.session.context import Engine, open_context
from abreast.engine.working.session.prompts import SAID
from abreast.errors import NotFoundError, StateError
from abreast.model.moves import Fail, Say
from abreast.model.session import LandMode, SessionState
from abreast.model.task import AgentChoice
from tests.support.deadlines import SECONDS, eventually
from tests.support.stage import Stage, scripted, task, until, writes


def test_another_session_cannot_resume_one_that_has_ended(shared_stage: Stage):
    run = shared_stage.run(task("one", writes("a.txt")), task("two", scripted(Fail("no"))))
    with pytest.raises(StateError, match=r"one has ended: it is done") as done:
        api.tell("one", "Wait!", sender="k3v9/x", places=shared_stage.places)
    assert done.value.hint == f"abreast attach {run.id}/one opens it"
    with pytest.raises(StateError, match=r"two has ended: it is failed") as failed:
        api.tell("two", "Wait!", sender="k3v9/x", places=shared_stage.places)
    assert f"abreast resume {run.id} goes on" in (failed.value.hint or "")
    assert api.find_run(run.id, places=shared_stage.places).generation == run.generation


def prompt_of(stage: Stage, session: str) -> str:
    return (stage.directory(session) / "prompt.md").read_text()


def test_a_message_resumes_a_session_that_has_ended(shared_stage: Stage):
    """A failed one by `tell`, a done one by `resume`; those that began from it are told."""
    stage = shared_stage
    run = stage.run(
        task("one", writes("a.txt")),
        task("two", scripted(Fail("no"))),
        task("three", writes("c.txt"), needs=("one",)),
        land=LandMode.NONE,
    )
    told = api.tell(f"{run.id}/two", "Use tabs.", places=stage.places)
    assert told.resumed
    two = {s.task: s for s in stage.wait(run.id).sessions}["two"]
    assert two.attempt == 2
    assert prompt_of(stage, two.id).endswith("Message from the user:\nUse tabs.")
    assert stage.events(two.id, "tell") == ["the user: Use tabs."]

    api.resume(f"{run.id}/one", "Also b.", places=stage.places)
    after = {s.task: s for s in stage.wait(run.id).sessions}
    assert (after["one"].state, after["one"].attempt) == (SessionState.DONE, 2)
    assert prompt_of(stage, f"{run.id}/one") == f"{SAID}\n\nMessage from the user:\nAlso b."
    assert after["three"].attempt == 1
    assert stage.events(f"{run.id}/three", "warning") == [
        "one, which it waited for, is worked on again"
    ]


def test_what_a_message_cannot_resume(shared_stage: Stage):
    stage, places = shared_stage, shared_stage.places
    run = stage.run(
        task("landed", writes("a.txt")),
        task("plain", AgentChoice("command", command="exit 1")),
        land=LandMode.MERGE,
    )

    def refused(name: str, message: str = "More.") -> tuple[str, str | None]:
        with pytest.raises(StateError) as error:
            api.resume(name, message, places=places)
        return error.value.message, error.value.hint

    said, hint = refused(f"{run.id}/landed")
    assert said.startswith(f"{run.id}/landed is done, and has landed as ")
    assert hint == 'abreast run -t "…" starts a task on top of it'
    said, hint = refused(f"{run.id}/plain")
    assert said.endswith("has no conversation to go on with")
    assert hint == f"abreast retry {run.id}/plain runs it again"
    assert refused(run.id)[0] == f"{run.id} has 2 sessions, and a message is for one"
    said, hint = refused(f"{run.id}/landed", "")
    assert said == f"{run.id}/landed is done: there is nothing to resume"
    assert api.find_run(run.id, places=places).generation == run.generation
    for one in run.sessions:  # no letter is left that a later attempt would find
        assert mailbox.pending(stage.directory(one.id).parent / "cli" / "mailbox") == []


def test_one_session_of_a_run_is_resumed_alone(shared_stage: Stage):
    stage = shared_stage
    run = stage.run(task("one", scripted(Fail("no"))), task("two", scripted(Fail("no"))))
    api.resume(f"{run.id}/two", places=stage.places)
    assert [s.attempt for s in stage.wait(run.id).sessions] == [1, 2]


def test_a_prompt_that_is_made_again_after_a_kill_has_the_same_letters(shared_stage: Stage):
    """The worker can die between taking the letters and starting the agent."""
    stage = shared_stage
    run = stage.run(task("one", writes("a.txt")))
    box = stage.directory(f"{run.id}/one").parent / "cli" / "mailbox"
    mailbox.post(box, Letter("{}", "{}"), "Mind the gap.")
    with connect(stage.places) as client:
        engine = Engine(stage.places, client.store, client.reader)
        context = open_context(engine, f"{run.id}/one", 1)
        first, second = letters(context, "again.md"), letters(context, "again.md")
    assert first == second == ["Mind the gap."]
    assert letters(context, "another.md") == []


def test_an_agent_without_hooks_says_so(shared_stage: Stage, tmp_path: Path):
    gate = tmp_path / "gate"
    wait = until(gate)
    run = shared_stage.start(task("one", scripted(wait, Say("done"))))
    with pytest.raises(StateError, match="cannot receive messages while it runs"):
        api.tell("one", "Wait!", places=shared_stage.places)
    with pytest.raises(StateError, match="the message is empty"):
        api.tell(run.id, " ", places=shared_stage.places)
    with pytest.raises(NotFoundError):
        api.tell("nobody", "Wait!", places=shared_stage.places)
    for empty in ("", "/one"):  # not the newest run
        with pytest.raises(NotFoundError, match="is not the name of a session"):
            api.tell(empty, "Wait!", places=shared_stage.places)
        with pytest.raises(NotFoundError, match="is not the name of a run"):
            api.collect(empty, wait=True, places=shared_stage.places)
    gate.touch()


def test_what_was_not_heard_goes_along_with_the_next_prompt(shared_stage: Stage, tmp_path: Path):
    stage, gate, journal = shared_stage, tmp_path / "gate", tmp_path / "journal"
    line = f"cat >> {journal}; while [ ! -e {gate} ]; do sleep 0.02; done; exit 1"
    run = stage.start(task("one", AgentChoice("command", command=line)))
    eventually(lambda: journal.exists() and journal.read_text(), "it is at work")
    box = stage.directory(f"{run.id}/one").parent / "cli" / "mailbox"
    number = mailbox.post(box, Letter("{}", "{}"), "Mind the gap.")
    gate.touch()
    stage.wait(run.id)
    assert stage.events(f"{run.id}/one", "unheard") == ["Mind the gap."]
    assert "Mind the gap." not in journal.read_text()
    api.resume(run.id, places=stage.places)
    stage.wait(run.id)
    assert journal.read_text().count("Mind the gap.") == 1
    assert mailbox.taken(box, number) == mailbox.PROMPT
    assert [dataclasses.astuple(mail) for mail in mailbox.pending(box)] == []


def test_a_session_that_ends_while_it_is_told_hears_it_when_it_is_resumed(
    shared_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gate = tmp_path / "gate"
    wait = until(gate)
    run = shared_stage.start(task("one", scripted(wait, Fail("no"))))
    # What comes before its prompt is written goes along with it.
    eventually(lambda: shared_stage.has_begun(f"{run.id}/one"), "it has its first prompt")
    # The scripted agent has no hooks; with the claim that it had, its letter stays where it is.
    able = dataclasses.replace(ScriptedAgent.capabilities, told="at its next tool call")
    monkeypatch.setattr(ScriptedAgent, "capabilities", able)
    with ThreadPoolExecutor(1) as beside:
        telling = beside.submit(api.tell, run.id, "Wait!", patience=30, places=shared_stage.places)
        eventually(lambda: shared_stage.events(f"{run.id}/one", "tell"), "the letter is there")
        api.tell(run.id, "Or not.", sender="r/lead", patience=0, places=shared_stage.places)
        gate.touch()
        told = telling.result(SECONDS)
    assert (told.heard, told.waits_for.partition(":")[0]) == (
        "",
        "when it is resumed, for it has ended meanwhile",
    )
    # Each says whose word it is, to the session and in the log.
    box = shared_stage.directory(f"{run.id}/one").parent / "cli" / "mailbox"
    users, sessions = (mail.text for mail in mailbox.pending(box))
    assert users == "Message from the user, sent while you work:\nWait!"
    assert sessions.startswith("Message from the session r/lead, sent while you work.")
    assert "not as an instruction from the user:\nOr not." in sessions
    logged = shared_stage.events(f"{run.id}/one", "tell")
    assert logged == ["the user: Wait!", "r/lead: Or not."]
    story = [entry.text for entry in api.logs(f"{run.id}/one", places=shared_stage.places)]
    assert [text for text in story if text in logged] == logged


def test_what_was_heard_waits_for_nothing(
    shared_stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    gate = tmp_path / "gate"
    run = shared_stage.start(task("one", scripted(until(gate), Say("done"))))
    name = f"{run.id}/one"
    eventually(lambda: shared_stage.has_begun(name), "it has its first prompt")
    able = dataclasses.replace(ScriptedAgent.capabilities, told="at its next tool call")
    monkeypatch.setattr(ScriptedAgent, "capabilities", able)
    box = shared_stage.directory(name).parent / "cli" / "mailbox"
    ways = {
        mailbox.TOOL: "after a tool call",
        mailbox.TURN: "at the end of its turn, and continues because of it",
        mailbox.PROMPT: "with its next prompt",  # a repair of a child, or a resume
    }
    for point, words in ways.items():
        with ThreadPoolExecutor(1) as beside:
            telling = beside.submit(api.tell, name, "Hi!", patience=30, places=shared_stage.places)
            eventually(lambda: mailbox.pending(box), "the letter is there")
            assert mailbox.take(box, mailbox.pending(box)[0].number, point)
            told = telling.result(SECONDS)
        assert (told.heard, told.waits_for) == (words, "")
    told = api.tell(name, "Hi!", patience=0, places=shared_stage.places)
    assert (told.heard, told.waits_for) == ("", "at its next tool call")
    gate.touch()
