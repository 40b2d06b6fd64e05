"""The whole screens over the board: log, diff, run, queue and costs, of a run that really was."""

from pathlib import Path

from abreast.board.diff_view import at_line
from abreast.model.moves import Edit, Read, Say, Shell, Write
from abreast.model.session import LandMode
from abreast.places import find_places
from tests.board.screens import at_board, played
from tests.support.stage import Stage, scripted, task, until

NEW = "def greet(name):\n    return f'hello {name}'\n"


def test_each_screen_shows_what_was_done(local_stage: Stage, tmp_path: Path):
    stage, gate = local_stage, tmp_path / "gate"
    edits = scripted(
        Say("I greet by name."),
        Read("README.md"),
        Shell("true"),
        Edit("src/app.py", "def greet():\n    return 'hello'\n", NEW),
        Write("notes.md", "one\n"),
        Say("Done; \x1b]0;pwn\x07[bold]see notes.md[/bold]"),
    )
    done = stage.run(task("greet", edits), land=LandMode.REVIEW)
    run = stage.start(task("later", scripted(Say("It begins."), until(gate), Say("It ends."))))
    stage.until(f"{run.id}/later", lambda one: one.last_action)

    async def scene(size: tuple[int, int]):
        async with at_board(stage.places, size) as me:
            await me.sees("greet")
            await me.press("d")
            shown = await me.sees("return f'hello {name}'")
            assert "def greet(name):" in shown
            await me.press("right_square_bracket")
            await me.press("m")
            await me.sees("as merged with its target")
            await me.sees("def greet(name):")
            await me.press("escape", "o")
            shown = await me.sees("Done; [bold]see notes.md[/bold]")
            assert "▸ 4 tool calls: write notes.md" in shown
            await me.press("f")
            shown = await me.sees("edit src/app.py")
            assert "▸" not in shown
            await me.press("slash")
            await me.writes("readme")
            await me.sees("read README.md")
            await me.press("escape", "escape", "w")
            assert "lands  nothing else waits to land" in await me.sees("lands  ")
            await me.sees(f"{done.id}/greet")
            await me.press("escape", "v")
            await me.sees("wave 1")
            assert "█" in await me.sees(f"run {done.id} done")
            await me.press("escape", "c")
            await me.sees("by day, the last 14 days")
            await me.press("escape")
            await me.sees("later")

    async def live():
        async with at_board(stage.places, (80, 20)) as me:
            await me.sees("later")
            await me.press("slash")
            await me.writes("s:running")
            await me.press("enter")  # what is at work is not disturbed: its log opens
            await me.sees("It begins.")
            await me.press("a")
            await me.sees("Then it opens its conversation in this terminal.")
            await me.press("escape", "o")
            gate.touch()
            await me.sees("It ends.")

    played(scene((60, 16)))
    played(scene((120, 30)))
    played(live())
    stage.wait(run.id)


def test_each_editor_is_told_the_line_in_its_own_way():
    file = Path("/w/a.py")
    assert at_line(["vim"], file, 7) == ("vim", "+7", "/w/a.py")
    assert at_line(["code", "--wait"], file, 7) == ("code", "--wait", "--goto", "/w/a.py:7")
    assert at_line(["/usr/bin/hx"], file, 7) == ("/usr/bin/hx", "/w/a.py:7")
    assert at_line(["vim"], file, 0) == ("vim", "/w/a.py")


def test_a_damaged_database_is_told_with_what_to_do(scratch_home: Path) -> None:
    del scratch_home
    places = find_places()
    places.make()
    Path(places.database.removeprefix("sqlite:///")).write_bytes(b"no database" * 1000)

    async def scene() -> None:
        async with at_board(places, (60, 16)) as me:
            await me.sees("abreast recover")

    played(scene())
