"""The gate on real repositories, also odd ones: what it says, and that nothing in them changes."""

import contextlib
import json
import random
import sqlite3
from pathlib import Path

import pytest

from abreast.api import checking
from abreast.cli.judgement_page import print_judgement
from abreast.engine.client.gated import pass_gate
from abreast.engine.common.verdicts import dump_judgement
from abreast.errors import PlanError, StateError
from abreast.model.gate import (
    EvidenceKind,
    GateMode,
    Happened,
    PairOutcome,
    PairVerdict,
    PlanJudgement,
    PlanOutcome,
    Shape,
)
from abreast.model.session import LandMode, Run, RunState
from abreast.model.task import AgentChoice, Plan, Task
from abreast.places import find_places
from abreast.store.engine import make_engine
from abreast.store.migrations import migrate
from abreast.store.writer import Store
from tests.cli.drawing import console, text_of
from tests.support.repos import Repo, make_repo

TWO = """
[[task]]
id = "one"
produces = "The greeting is polite."
prompt = "Be polite."
paths = ["src/app.py"]

[[task]]
id = "two"  # the second
produces = "The greeting is short."
prompt = "Be short."
paths = ["src/app.py"]
"""


def check(repo: Repo, plan: str = TWO, **more: object) -> PlanJudgement:
    file = repo.path.parent / "plan.toml"
    file.write_text(plan)
    return checking.check(file, repo=repo.path, **more)


@pytest.fixture
def hot(tmp_path: Path, scratch_home: Path) -> Repo:
    """A repository where every change to `src/app.py` meets the one before in the same line."""
    repo = make_repo(tmp_path / "repo")
    for number in range(16):
        repo.commit(
            f"Greet in way {number}", {"src/app.py": f"def greet():\n    return {number}\n"}
        )
    return repo


def test_the_history_couples_and_nothing_in_the_repository_changes(hot: Repo):
    before = (hot.git("for-each-ref"), hot.git("status", "--porcelain"), _files(hot.path / ".git"))
    said: list[str] = []
    found = check(hot, progress=lambda what, _done, _total: said.append(what))
    [pair] = found.pairs
    assert pair.verdict is PairVerdict.COUPLED
    assert found.shape is Shape.DEEP
    [past] = [one for one in pair.evidence if one.kind is EvidenceKind.PAST]
    assert "met in the same lines" in past.words
    assert said[0] == "reading the tree"
    assert said[-1] == "judging"
    after = (hot.git("for-each-ref"), hot.git("status", "--porcelain"), _files(hot.path / ".git"))
    assert after == before
    assert check(hot) == found  # now from the cache


def _files(folder: Path) -> dict[str, bytes]:
    """Return all files but those of the index, whose times git may note anew."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "index")
    return {str(path): path.read_bytes() for path in files}


def test_no_commit_and_one_commit(tmp_path: Path, scratch_home: Path):
    path = tmp_path / "unborn"
    path.mkdir()
    unborn = Repo(path)
    unborn.git("init", "-q")
    [pair] = check(unborn).pairs
    assert pair.verdict is PairVerdict.COUPLED  # both create the file
    [pair] = check(make_repo(tmp_path / "one")).pairs
    assert pair.verdict is PairVerdict.MAYBE


def test_a_shallow_clone(hot: Repo, tmp_path: Path):
    shallow = Repo(tmp_path / "shallow")
    hot.git("clone", "-q", "--depth=2", f"file://{hot.path}", str(shallow.path))
    [pair] = check(shallow).pairs
    assert pair.verdict.rank >= PairVerdict.MAYBE.rank


def test_a_file_of_which_git_keeps_both_sides_does_not_conflict(hot: Repo):
    """That is what the page advises for change logs."""
    hot.git("config", "grep.lineNumber", "true")  # which is not ours to see
    hot.commit("keep both", {".gitattributes": "src/app.py merge=union\n"})
    [pair] = check(hot).pairs
    assert (pair.verdict, pair.probability) == (PairVerdict.INDEPENDENT, 0.0)
    assert pair.evidence[0].words == (
        "both write `src/app.py`, of which git keeps both sides (merge=union)"
    )
    hot.commit("keep none", {".gitattributes": "* merge=union\nsrc/app.py merge=ours\n"})
    assert check(hot).pairs[0].verdict is PairVerdict.COUPLED


@pytest.mark.parametrize("name", ["süd/über.py", "\u53d1\u7968.py", 'new\nline "x".py', "-dash.py"])
def test_names_beyond_plain_ascii_are_those_of_files_that_exist(
    tmp_path: Path, scratch_home: Path, name: str
):
    repo = make_repo(tmp_path / "repo", {name: "x\n"})
    [pair] = check(repo, TWO.replace('"src/app.py"', json.dumps(name))).pairs
    assert pair.verdict is PairVerdict.MAYBE  # were it new, both would create it
    assert pair.evidence[0].paths == (name,)


def test_a_clone_without_trees_fetches_none(hot: Repo, tmp_path: Path):
    """A checkout has the trees of its own commit; those of others would come from afar."""
    clone = Repo(tmp_path / "clone")
    hot.git("config", "uploadpack.allowFilter", "true")
    hot.git("clone", "-q", "--filter=tree:0", f"file://{hot.path}", str(clone.path))
    before = _files(clone.path / ".git")
    [pair] = check(clone).pairs
    assert pair.verdict.rank >= PairVerdict.MAYBE.rank
    with pytest.raises(StateError, match=r"the files of [0-9a-f]+ are not all in this clone"):
        check(clone, base="HEAD~5")
    assert _files(clone.path / ".git") == before


def test_no_program_of_the_repository_runs_and_no_setting_of_it_counts(hot: Repo, tmp_path: Path):
    hot.commit("attributes", {".gitattributes": "* merge=evil diff=evil filter=evil\n"})
    found, trap = check(hot), tmp_path / "trap"
    programs = (
        "merge.evil.driver diff.evil.textconv diff.evil.command filter.evil.clean diff.external"
        " filter.evil.smudge filter.evil.process core.fsmonitor core.pager core.sshCommand"
        " core.alternateRefsCommand gpg.program"
    )
    for key in programs.split():
        hot.git("config", key, f"touch {trap}; cat")
    for key, value in {
        "core.hooksPath": "hooks",
        "log.showSignature": "true",
        "diff.noprefix": "true",
        "diff.renames": "copies",
        "diff.context": "9",
        "color.ui": "always",
        "core.abbrev": "4",
    }.items():
        hot.git("config", key, value)
    (hot.path / "hooks").mkdir()
    for name in ("reference-transaction", "post-index-change", "post-checkout"):
        (hot.path / "hooks" / name).write_text(f"#!/bin/sh\ntouch {trap}\n")
        (hot.path / "hooks" / name).chmod(0o755)
    for cache in find_places().state.rglob("gate/*.db"):
        cache.unlink()
    before = _files(hot.path)
    assert check(hot) == found
    assert _files(hot.path) == before
    assert not trap.exists()
    hot.git("update-ref", "refs/heads/other", "HEAD")
    assert trap.exists()  # the traps do spring


def test_a_submodule_stands_for_what_is_in_it(hot: Repo, tmp_path: Path):
    other = make_repo(tmp_path / "other")
    hot.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "lib")
    hot.git("commit", "-qm", "lib")
    plan = TWO.replace('"src/app.py"', '"lib/a.py"', 1).replace('"src/app.py"', '"lib/b.py"', 1)
    [pair] = check(hot, plan).pairs
    assert pair.verdict.rank >= PairVerdict.MAYBE.rank
    assert pair.evidence[0].paths == ("lib",)


def test_a_sparse_checkout_is_judged_by_the_whole_commit(hot: Repo):
    hot.git("sparse-checkout", "set", "docs")
    assert not (hot.path / "src/app.py").exists()
    [pair] = check(hot).pairs
    assert pair.verdict is PairVerdict.COUPLED


def test_names_that_are_in_the_repository_are_not_introduced(tmp_path: Path, scratch_home: Path):
    repo = make_repo(tmp_path / "repo", {"old.py": "class OldPolicy: ...\n"})
    plan = TWO.replace("Be polite.", "Add a class {} to it.").replace("Be short.", "Use {}.")
    plan = plan.replace('"src/app.py"', '"a.py"', 1).replace('"src/app.py"', '"b.py"', 1)
    [pair] = check(repo, plan.replace("{}", "OldPolicy")).pairs
    assert pair.verdict is PairVerdict.INDEPENDENT
    [pair] = check(repo, plan.replace("{}", "NewPolicy")).pairs
    assert (pair.verdict, pair.before) == (PairVerdict.COUPLED, "one")


def test_paths_are_predicted_from_the_history(hot: Repo):
    hot.commit("Describe the manual", {"docs/manual.md": "# manual\n"})
    plan = TWO.replace('paths = ["src/app.py"]', "").replace("Be polite.", "Describe the manual.")
    found = check(hot, plan)
    assert found.pairs[0].verdict.rank in {PairVerdict.UNKNOWN.rank, PairVerdict.MAYBE.rank}
    assert "docs/manual.md" in [one.path for one in found.tasks[0].predicted]


def test_what_a_text_names_is_found_where_it_is_defined(hot: Repo):
    code = {
        "src/settings.py": "import re\n\n\ndef parse_config(text):\n    return text\n",
        "src/use.py": "from settings import parse_config\n\nparse_config('')\n",
        "src/near.py": "def parse_config_file(text):\n    return text\n",
        "src/server.go": "func (s *Server) handleLogin(w Writer) {\n}\n",
    }
    hot.commit("More", code)
    hot.commit("Less", {"src/old.py": ""})
    plan = """
    [[task]]
    id = "one"
    produces = "`parse_config` is quicker."
    prompt = "Make it quicker."
    [[task]]
    id = "two"
    produces = "The page is quicker."
    prompt = "See to `handleLogin`."
    """
    for _ in range(2):  # the second time from the cache
        found = {task.task: task.predicted for task in check(hot, plan).tasks}
        assert found["one"][0].path == "src/settings.py"
        assert found["two"][0].path == "src/server.go"


def test_any_language_and_an_empty_history_say_little(tmp_path: Path, scratch_home: Path):
    repo = make_repo(tmp_path / "repo")
    found = checking.check(None, ["修复登录测试", "Dokumentiere den Export"], repo=repo.path)
    assert [pair.verdict for pair in found.pairs] == [PairVerdict.UNKNOWN]


def test_agents_need_not_be_installed_and_problems_come_together(
    tmp_path: Path, scratch_home: Path
):
    repo = make_repo(tmp_path / "repo")
    with pytest.raises(PlanError) as raised:
        check(repo, 'base = "nowhere"\n' + TWO)
    assert "nowhere" in str(raised.value)


def test_advice_is_written_and_comments_stay(hot: Repo):
    found = check(hot)
    plan = hot.path.parent / "plan.toml"
    shown = []
    assert (
        checking.write_advice(plan, found, confirm=lambda asked: bool(shown.append(asked))) is None
    )
    assert plan.read_text() == TWO
    assert '+after = ["one"]' in shown[0].diff
    written = checking.write_advice(plan, found)
    assert written is not None
    text = plan.read_text()
    assert 'id = "two"  # the second' in text
    assert text.count('after = ["one"]') == 1
    assert [line for line in text.splitlines() if line not in TWO.splitlines()] == [
        'after = ["one"]'
    ]


@pytest.mark.parametrize("old", ["\ufeff" + TWO, TWO.replace("\n", "\r\n")])
def test_a_mark_and_line_ends_stay(hot: Repo, old: str):
    found = check(hot)
    plan = hot.path.parent / "plan.toml"
    plan.write_bytes(old.encode())
    assert checking.write_advice(plan, found) is not None
    text = plan.read_bytes().decode()
    assert text.startswith("\ufeff") == old.startswith("\ufeff")
    assert text.count("\r\n") == (text.count("\n") if "\r\n" in old else 0)


def test_a_plan_that_has_changed_meanwhile_is_not_written(hot: Repo):
    found = check(hot)
    plan = hot.path.parent / "plan.toml"

    def change(_: object) -> bool:
        plan.write_text(TWO + "# mine\n")
        return True

    with pytest.raises(StateError, match="changed in the meantime"):
        checking.write_advice(plan, found, confirm=change)
    assert plan.read_text() == TWO + "# mine\n"


def test_a_plan_of_too_many_tasks_is_not_judged_and_still_starts(hot: Repo, scratch_home: Path):
    tasks = "".join(f'[[task]]\nid = "t{n}"\nprompt = "Be polite."\n' for n in range(101))
    with pytest.raises(StateError, match="up to 100 tasks in pairs; this plan has 101"):
        check(hot, tasks)
    polite = (Task(f"t{n}", "Be polite.", "", AgentChoice("scripted")) for n in range(101))
    plan = Plan(tuple(polite), base="main", repo=str(hot.path))
    gated = pass_gate(plan, find_places())
    assert gated.plan == plan
    [note] = gated.notes
    assert note == (
        "the gate could not judge the plan: "
        "the gate compares up to 100 tasks in pairs; this plan has 101"
    )


def _cached() -> sqlite3.Connection:
    [file] = find_places().state.rglob("gate/*.db")
    return sqlite3.connect(file, isolation_level=None)


def test_a_full_disk_takes_only_the_cache(hot: Repo):
    found = check(hot)
    with contextlib.closing(_cached()) as cache:
        before = cache.execute("SELECT count(*) FROM change").fetchone()
        # As SQLite does when there is no space left.
        cache.execute(
            "CREATE TRIGGER full BEFORE INSERT ON digest BEGIN"
            " SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
        cache.execute("DELETE FROM digest")
    assert check(hot) == found
    with contextlib.closing(_cached()) as cache:
        assert cache.execute("SELECT count(*) FROM change").fetchone() == before


def test_a_cache_that_lacks_a_table_is_made_again(hot: Repo):
    found = check(hot)
    with contextlib.closing(_cached()) as cache:
        cache.execute("DROP TABLE digest")
    assert check(hot) == found
    with contextlib.closing(_cached()) as cache:
        assert cache.execute("SELECT count(*) FROM digest").fetchone() > (0,)


@pytest.mark.parametrize("part", range(4))
def test_a_cache_that_is_damaged_behind_its_first_pages_is_made_again(hot: Repo, part: int):
    found = check(hot)
    [file] = find_places().state.rglob("gate/*.db")
    with contextlib.closing(sqlite3.connect(file)) as cache:
        cache.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    pages = range(2 * 4096, len(content), 4096)
    for at in pages[part::4] if part else pages:
        content[at : at + 4096] = random.Random(at).randbytes(4096)  # noqa: S311 (the same each time)
    file.write_bytes(content)
    assert check(hot) == found
    assert check(hot) == found


def test_runs_of_the_repository_recalibrate_what_is_said(hot: Repo):
    before = check(hot)
    assert before.recalibration.pairs == 0
    places = find_places()
    places.make()
    migrate(engine := make_engine(places.database))
    for number in range(6):
        _keep_run(Store(engine), f"r{number}", hot, before, Happened.CLEAN)
        _keep_run(Store(engine), f"s{number}", hot, before, Happened.SEQUENCE)
    assert check(hot) == before
    for number in range(6, 40):
        _keep_run(Store(engine), f"r{number}", hot, before, Happened.CLEAN)
    engine.dispose()
    found = check(hot)
    assert found.recalibration.pairs == 40
    assert 0 < found.pairs[0].probability < before.pairs[0].probability - 0.2
    assert found.pairs[0].verdict is PairVerdict.MAYBE
    print_judgement(shown := console(), found)
    assert "recalibrated on 40 pairs of this repository's runs" in text_of(shown)


def _keep_run(store: Store, name: str, repo: Repo, said: PlanJudgement, happened: Happened) -> None:
    base = repo.git("rev-parse", "HEAD")
    common = str(repo.path / ".git")
    run = Run(
        name,
        str(repo.path),
        "main",
        base,
        "main",
        RunState.DONE,
        LandMode.NONE,
        1.0,
        common_dir=common,
    )
    store.add_run(run, "{}", (GateMode.ADVISE, dump_judgement(said)))
    outcome = PlanOutcome((PairOutcome("one", "two", happened),))
    store.set_happened(name, dump_judgement(outcome))
