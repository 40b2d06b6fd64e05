"""The page of a session: what was done, what deserves a look, and what landing it does."""

from abreast import api
from abreast.model.moves import Edit, Fail, Say, Shell, Write
from abreast.model.session import LandMode
from abreast.model.session_page import PageConflict, PageFile
from tests.cli.test_edge import abreast
from tests.engine.working.landing.test_repair import FILE, begin, meanwhile, repaired
from tests.support.stage import Stage, scripted, task, writes


def test_a_done_session_with_everything_that_deserves_a_look(shared_stage: Stage) -> None:
    stage = shared_stage
    risky = scripted(
        Edit("README.md", "# demo", "# theirs"),
        Write("big.txt", "line\n" * 401),
        Write("Makefile", "all:\n"),
        Shell("git rm -q src/app.py && printf '\\0' > data.bin"),
        Say("done"),
    )
    run = stage.run(
        task("risky", risky, paths=("README.md", "big.txt", "Makefile", "data.bin")),
        task("other", scripted(Edit("README.md", "# demo", "# others"), Say("done"))),
    )
    stage.repo.commit("mine", {"README.md": "# mine\n"})
    page = api.show(f"{run.id}/risky", places=stage.places)
    assert page.files == (
        PageFile("Makefile", "A", 1, 0),
        PageFile("README.md", "M", 1, 1),
        PageFile("big.txt", "A", 401, 0),
        PageFile("data.bin", "A", None, None),
        PageFile("src/app.py", "D", 0, 2, outside=True),
    )
    assert page.conflicts == (
        PageConflict("main", ("README.md",)),
        PageConflict(f"{run.id}/other", ("README.md",)),
    )
    assert page.risks == (
        'it wrote outside its declared paths: "src/app.py"',
        'it deletes 1 file: "src/app.py"',
        'it changes what runs, or what agents obey, by itself: "Makefile"',
        'no diff shows what changed in "data.bin"',
        "it is large: 406 changed lines in 5 files",
        "nothing has tested it: the plan has no verify command",
        'it conflicts with main in "README.md"',
        f'it conflicts with {run.id}/other in "README.md"',
    )
    assert page.command == f"abreast land {run.id}/risky"
    assert page.advice == ""


def test_a_session_with_nothing_to_look_at(shared_stage: Stage) -> None:
    stage = shared_stage
    run = stage.run(task("one", writes("one.txt"), verify="test -e one.txt"), land=LandMode.MERGE)
    page = api.show("one", places=stage.places)
    assert page.risks == ()
    [check] = page.checks
    assert (check.name, check.command, check.outcome) == ("verify", "test -e one.txt", "exit 0")
    assert (page.landing, page.command, page.advice) == ("", "", "")  # it has landed
    assert page.session == run.sessions[0]
    undo = f"abreast land --undo {run.id}/one takes it back"
    assert page.landed == f"in main, as {run.sessions[0].landed[:12]}; {undo}"
    stage.repo.git("reset", "-q", "--hard", run.base_sha)
    page = api.show("one", places=stage.places)
    assert page.risks[0].endswith("which main does not have any more")
    assert (page.landed, page.command) == ("", f"abreast land {run.id}/one")


def test_what_must_land_before_it_is_named_and_the_command_lands_both(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    run = stage.run(
        task("base", writes("base.txt")), task("top", writes("top.txt"), needs=("base",))
    )
    page = api.show(f"{run.id}/top", places=stage.places)
    assert page.landing.startswith("once base has landed, which it needs: puts it onto main")
    assert page.command == f"abreast land {run.id}"
    assert api.show(f"{run.id}/base", places=stage.places).command == f"abreast land {run.id}/base"


def test_a_failed_one_shows_what_is_there_and_what_to_do(shared_stage: Stage, monkeypatch) -> None:
    stage = shared_stage
    run = stage.run(task("red", scripted(Write("half.txt", "x\n"), Fail("no luck"))))
    page = api.show(f"{run.id}/red", places=stage.places)
    assert page.files == (PageFile("half.txt", "A", 1, 0),)
    assert (page.landing, page.command) == ("", "")
    assert page.advice
    monkeypatch.setenv("ABREAST_STATE_DIR", str(stage.places.state))
    monkeypatch.setenv("ABREAST_DB", stage.places.database)
    done = abreast("show", f"{run.id}/red")
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert lines[0].startswith(f"{run.id}/red  failed  scripted")
    assert "  A  half.txt  +1 -0" in lines
    assert lines[-1] == f"next: {page.advice}"
    assert '"half.txt"' in abreast("show", f"{run.id}/red", "--json").stdout


def test_a_bounced_one_says_how_to_settle_it_and_not_to_land_it_as_it_is(
    shared_stage: Stage,
) -> None:
    stage = shared_stage
    run = begin(stage, task("one", scripted(Write(FILE, "first\nmine\n"), Say("Done.")), repairs=0))
    meanwhile(stage, run.id)
    api.land(run.id, places=stage.places)
    page = api.show(f"{run.id}/one", places=stage.places)
    assert page.command == ""
    assert page.advice == f"abreast attach {run.id}/one, merge main there, abreast land {run.id}"


def test_a_repaired_one_says_so_with_what_its_repair_drops(shared_stage: Stage) -> None:
    stage = shared_stage
    run = begin(stage, repaired(Write(FILE, "first\nmine\n"), verify="true"))
    name = f"{run.id}/one"
    meanwhile(stage, run.id)
    api.land(run.id, places=stage.places)
    page = api.show(name, places=stage.places)
    assert page.risks == (
        f"it did not land as it was first made, and was repaired: abreast logs {name} has why",
        f"its repair drops what main had got: {FILE}: theirs",
    )
    assert page.files == (PageFile(FILE, "M", 1, 1),)  # against the target that it was repaired on
    assert page.landed.startswith("in main, as ")


def test_one_whose_repair_has_failed_says_what_stands_in_its_way(shared_stage: Stage) -> None:
    stage = shared_stage
    run = begin(stage, repaired())
    name = f"{run.id}/one"
    meanwhile(stage, run.id)
    api.land(run.id, places=stage.places)
    page = api.show(name, places=stage.places)
    assert page.session.reason == f'repair 1 of 1: conflict markers are left in "{FILE}"'
    assert page.risks[0].startswith("it did not land as it was first made, and was repaired: ")
    assert (page.landing, page.command, page.advice) == ("", "", f"abreast attach {name}")
