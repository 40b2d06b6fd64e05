"""A diff as values, read from what real git prints."""

import os
import subprocess

from hypothesis import given
from hypothesis import strategies as st

from abreast.faces.changed_words import changed_spans
from abreast.faces.diffs import DiffFile, DiffLine, read_diff
from tests.support.repos import Repo

ODD = 'a "b"\t\\ c\nd é\udcff.txt'


def compared(repo: Repo, *options: str) -> str:
    argv = ("git", "diff", "--cached", "-M", *options, "HEAD")
    return os.fsdecode(subprocess.run(argv, cwd=repo.path, capture_output=True, check=True).stdout)


def read(repo: Repo, *options: str) -> dict[str, DiffFile]:
    repo.git("add", "-A")
    return {one.path: one for one in read_diff(compared(repo, *options))}


def test_files_of_every_kind(repo: Repo) -> None:
    names = ("keep me.py", "gone.txt", "moved.txt", ODD, "mode.sh", "pic.bin", "empty.txt")
    for name in names:
        lines = "".join(f"{name[:4]!r} {n}\n" for n in range(30))
        (repo.path / name).write_text(lines)
    (repo.path / "pic.bin").write_bytes(b"\0one")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "before")
    (repo.path / "gone.txt").unlink()
    (repo.path / "moved.txt").rename(repo.path / "there now.txt")
    (repo.path / "mode.sh").chmod(0o755)
    (repo.path / "pic.bin").write_bytes(b"\0two")
    (repo.path / "new é.txt").write_text("--- a/no\n+++ b/no\ndiff --git a/x b/x\n@@ -1 +1 @@\nend")
    (repo.path / "none.txt").write_text("")
    for name in ("keep me.py", ODD):
        file = repo.path / name
        file.write_text(file.read_text().replace(" 3\n", " three\n").replace(" 25\n", " 26\n"))
    for options in ((), ("--binary",)):
        found = read(repo, *options)
        assert [*found, ""] == compared(repo, "--name-only", "-z").split("\0")
        assert {name: one.status for name, one in found.items()} == {
            "keep me.py": "modified",
            ODD: "modified",
            "gone.txt": "deleted",
            "there now.txt": "renamed",
            "mode.sh": "modified",
            "pic.bin": "modified",
            "new é.txt": "added",
            "none.txt": "added",
        }
        assert found["there now.txt"].before == "moved.txt"
        assert found["pic.bin"].notes == ("binary",)
        assert found["mode.sh"].notes == ("old mode 100644", "new mode 100755")
        added = found["new é.txt"].hunks[0].lines
        assert [line.text for line in added if line.kind == "+"][2] == "diff --git a/x b/x"
        assert added[-1].kind == "\\"
        assert [len(hunk.lines) for hunk in found[ODD].hunks] == [8, 8]
        assert (found[ODD].added, found[ODD].deleted) == (2, 2)


def test_lines_have_their_numbers_and_what_changed_in_them(repo: Repo) -> None:
    file = repo.path / "a.py"
    file.write_text("one = 1\ntwo = value\nthree = 3\n")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "before")
    file.write_text("one = 1\ntwo = other\nthree = 3\nfour = 4\n")
    (hunk,) = read(repo)["a.py"].hunks
    assert hunk.lines == (
        DiffLine(" ", "one = 1", 1, 1),
        DiffLine("-", "two = value", 2, None, ((6, 11),)),
        DiffLine("+", "two = other", None, 2, ((6, 11),)),
        DiffLine(" ", "three = 3", 3, 3),
        DiffLine("+", "four = 4", None, 4),
    )


def test_what_is_no_diff_has_no_files() -> None:
    assert read_diff("") == read_diff("nothing\n@@ -1 +1 @@\n+x\n") == ()
    assert read_diff("diff --git \n@@ nonsense\n\n")[0].hunks == ()


@given(st.text("ab (\u00e9\U0001f600", max_size=40), st.text("ab (\u00e9\U0001f600", max_size=40))
def test_what_did_not_change_is_the_same(before: str, after: str) -> None:
    spans = changed_spans(before, after)
    if not any(spans):
        return
    rest = []
    for line, changed in zip((before, after), spans, strict=True):
        last = 0
        kept = ""
        for start, end in changed:
            assert last <= start < end <= len(line)
            kept, last = kept + line[last:start], end
        rest.append(kept + line[last:])
    assert rest[0] == rest[1]
