"""Someone at the board while real runs go on: what they see, press, and what comes of it."""

from pathlib import Path

from abreast.model.moves import EndTurn, Fail, Say, Write
from abreast.model.session import LandMode, LandState, SessionState
from abreast.store.reader import Reader
from tests.board.screens import Person, at_board, played
from tests.cli.test_answer import also_asks
from tests.support.stage import Stage, scripted, task, until, writes


def test_a_session_comes_to_need_its_person_and_lands(local_stage: Stage, tmp_path: Path):
    stage, gate = local_stage, tmp_path / "gate"
    work = scripted(Say("I look around"), until(gate), Write("one.txt", "x\n"), Say("It is done."))
    run = stage.start(task("one", work), land=LandMode.REVIEW)

    async def scene():
        async with at_board(stage.places, (120, 30)) as me:
            await me.sees("shell while")
            await me.sees("I look around")  # in the peek, from its story
            assert not [sent for sent in me.sent if "need" in sent]
            gate.touch()
            shown = await me.sees("1 needs you")
            assert "1 file for your review" in shown
            assert "\x1b]2;1 needs you\x07" in me.sent
            told = [sent for sent in me.sent if "notify" in sent]
            assert told == ["\x1b]777;notify;one needs you (repo);1 file for your review\x07"]
            await me.press("l")
            await me.sees("moves main if it passes")
            await me.sees("nothing has tested it")  # which is looked for meanwhile
            await me.press("escape")
            await me.sees(lambda text: "Enter: do it" not in text)
            assert stage.session(f"{run.id}/one").landing is LandState.NONE
            await me.press("l")
            await me.sees("Enter: do it")
            await me.press("enter")
            await me.sees("landed")
            assert "\x1b]2;abreast\x07" in me.sent

    played(scene())
    assert stage.wait(run.id).sessions[0].landing is LandState.LANDED


def test_a_reply_and_a_choice_bring_a_session_on(local_stage: Stage):
    stage = local_stage
    run = stage.run(
        task("asks", scripted(EndTurn("Which of the two?"), Write("a.txt", "a\n"), Say("Done."))),
        task("failed", scripted(Fail("no luck"))),
    )
    name = f"{run.id}/asks"
    also_asks(stage, name)  # three questions wait, one after the other

    async def scene():
        async with at_board(stage.places, (120, 34)) as me:
            await me.sees("Tabs as in Go")
            await me.press("9")
            await me.sees("offers 2 choices")
            await me.press("1")
            await me.sees("Your answer: Tabs (as in Go)")
            await me.press("enter")
            await me.sees(lambda text: "Tabs" not in text and "May it use Write?" in text)
            await me.press("1")  # its CLI does not wait: once is no choice
            await me.sees("Your answer: allow such calls")
            await me.press("enter")
            await me.sees(lambda text: "May it use" not in text)
            await me.press("space")
            await me.sees("with your answer")
            await me.writes("The first.")
            await me.sees("is resumed with it")

    played(scene())
    stage.until(name, lambda one: one.state is SessionState.DONE)
    answers = {one.answer for one in Reader(stage.places.database).questions(name)}
    assert answers >= {"Tabs", "The first."}
    assert stage.session(f"{run.id}/failed").state is SessionState.FAILED


def test_running_work_is_stopped_resumed_and_found(local_stage: Stage, tmp_path: Path):
    stage, gate = local_stage, tmp_path / "gate"
    run = stage.start(
        task("long", scripted(until(gate), Write("a.txt", "a\n"))),
        task("then", writes("b.txt"), needs=("long",)),
    )

    async def scene():
        async with at_board(stage.places, (60, 16)) as me:
            await me.sees("shell while")
            await me.press("l")
            await me.sees("has nothing that can land")
            await me.press("x")
            await me.sees("ends its processes")
            await me.press("enter")
            await me.sees("what it did is kept")
            await me.sees("skipped")
            await filtered(me, "s:skip")
            await me.press("escape", "escape")
            await me.sees("■ long")
            gate.touch()
            await me.clicks(5, 3)  # the first session under the first heading
            await me.press("r")
            await me.sees("its limits counted anew")
            await me.press("enter")
            await me.sees("✓ long")
            await me.press("n")
            await me.sees("nothing needs you")

    async def filtered(me: Person, words: str):
        await me.press("slash")
        await me.writes(words)
        shown = await me.sees(lambda text: "● long" not in text and "■ long" not in text)
        assert "- then" in shown

    played(scene())
    assert stage.wait(run.id).sessions[0].state is SessionState.DONE
