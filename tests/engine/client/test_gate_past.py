"""What a history tells the gate: read once, kept, and the same the next time."""

import os
from pathlib import Path

from abreast.engine.client.gate_past import known_past
from abreast.engine.client.gate_tree import gate_cache, read_tree
from abreast.gate.chance import TaskSide, chance
from abreast.git.repository import find_repository
from abreast.places import Places
from tests.support.repos import Repo

HUB = TaskSide(frozenset({"hub.py"}))


def look(repo: Repo, state: Path, base: str | None = None) -> tuple[float, list[str], list[str]]:
    """Return the chance at the hub, what is predicted for a text, and what was looked at."""
    said: list[str] = []
    commit = repo.git("rev-parse", "HEAD") if base is None else base
    paths = repo.git("ls-files").splitlines()
    found = find_repository(repo.path)

    def progress(what: str, _done: int, _total: int) -> None:
        said.append(what)

    with gate_cache(found, Places(state, "")) as cache:
        known = known_past(found, commit, paths, cache, progress)
        predicted = [path.path for path in known.predict("write the hub once more")]
        return chance(known.past, HUB, HUB).anywhere, predicted, said


def test_the_next_check_reads_only_what_is_new(repo: Repo, tmp_path: Path) -> None:
    for number in range(6):
        repo.commit(f"write the hub {number}", {"hub.py": f"{number}\n", f"own{number}.py": ""})
    first = look(repo, tmp_path)
    assert first[0] > 0.4
    assert first[1][0] == "hub.py"
    assert "replaying neighbours" in first[2]
    assert look(repo, tmp_path) == (*first[:2], [])
    repo.commit("write the hub again", {"hub.py": "again\n"})
    later = look(repo, tmp_path)
    assert later[0] > first[0]
    assert later == (*look(repo, tmp_path / "fresh")[:2], later[2])


def test_without_a_commit_little_is_known_and_nothing_fails(repo: Repo, tmp_path: Path) -> None:
    assert look(repo, tmp_path, base="")[0] < 0.5


def test_a_history_that_cannot_be_read_is_said(repo: Repo, tmp_path: Path) -> None:
    found = find_repository(repo.path)
    with gate_cache(found, Places(tmp_path, "")) as cache:
        known = known_past(found, "f" * 40, [], cache, lambda *_: None)
        assert "could not be read" in known.notes[0]
        assert known.predict("anything") == ()


def test_a_clone_that_is_deepened_is_read_again(repo: Repo, tmp_path: Path) -> None:
    for number in range(6):
        repo.commit(f"write the hub {number}", {"hub.py": f"{number}\n"})
    clone = Repo(tmp_path / "clone")
    repo.git("clone", "-q", "--depth", "2", repo.path.as_uri(), str(clone.path))
    state = tmp_path / "state"
    shallow = look(clone, state)
    assert look(clone, state) == (*shallow[:2], [])
    clone.git("fetch", "-q", "--unshallow")
    deep = look(clone, state)
    assert "replaying neighbours" in deep[2]
    assert deep[0] > shallow[0]


def test_a_path_that_is_no_text_keeps_nothing_from_being_judged(repo: Repo, tmp_path: Path) -> None:
    (repo.path / os.fsdecode(b"caf\xe9.py")).write_text("x\n")
    repo.git("add", ".")
    repo.git("commit", "-qm", "add the café")
    repo.commit("write the hub", {"hub.py": "1\n"})
    found = find_repository(repo.path)
    base = repo.git("rev-parse", "HEAD")
    for _ in range(2):
        with gate_cache(found, Places(tmp_path, "")) as cache:
            tree = read_tree(found, base, cache)
            known = known_past(found, base, tree.files, cache, lambda *_: None)
            assert "hub.py" in [path.path for path in known.predict("write the hub")]
