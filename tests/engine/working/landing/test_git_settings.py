"""What the user's git configuration does at a landing: each row of the table in the docs."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from abreast.model.session import LandState, Session
from tests.engine.working.landing.queue_world import START, Change, QueueWorld
from tests.support.repos import Repo, make_repo

DOCS = Path(__file__).parents[4] / "docs/landing.md"
LANDED, BOUNCED = LandState.LANDED, LandState.BOUNCED
Row = Callable[["Desk"], None]
ROWS: dict[str, Row] = {}


class Desk:
    """A repository whose settings a row sets before its run begins."""

    def __init__(self, repo: Repo, opened: Callable[[Repo], QueueWorld]) -> None:
        self.repo, self.open = repo, opened
        self.world: QueueWorld | None = None

    def set(self, **settings: str) -> None:
        for name, value in settings.items():
            self.repo.git("config", name.replace("__", "."), value)

    def land(self, *changes: Change, meanwhile: dict[str, str] | None = None) -> list[Session]:
        """Make a run of these changes, commit to `main` meanwhile, and land it."""
        self.world = self.open(self.repo)
        run = self.world.add_run(changes)
        if meanwhile:
            self.repo.commit("meanwhile", meanwhile)
        return list(self.world.land(run).values())

    def writes(self, name: str, text: str) -> Change:
        return Change(more=((name, text),))

    def lands(self, *changes: Change, meanwhile: dict[str, str] | None = None) -> None:
        for session in self.land(*changes, meanwhile=meanwhile):
            assert session.landing is LANDED, session.reason

    def conflicts(self, *changes: Change, meanwhile: dict[str, str]) -> None:
        [session] = self.land(*changes, meanwhile=meanwhile)
        assert session.landing is BOUNCED
        assert session.reason.startswith("conflicts with main in "), session.reason

    def shown(self, shape: str) -> str:
        return self.repo.git("log", "-1", f"--format={shape}", "main")

    def raw(self) -> str:
        return self.repo.git("cat-file", "commit", "main")


def row(name: str) -> Callable[[Row], Row]:
    def add(test: Row) -> Row:
        ROWS[name] = test
        return test

    return add


ELSE = {"meanwhile.txt": "x\n"}


@row("`user.name`, `user.email`")
def _(desk: Desk) -> None:
    desk.set(user__name="Grace", user__email="grace@example.com")
    desk.lands(Change(), meanwhile=ELSE)
    assert desk.shown("%an <%ae> %cn <%ce>") == (
        "Grace <grace@example.com> Grace <grace@example.com>"
    )


@row("`commit.gpgSign`, `gpg.*`, `user.signingKey`")
def _(desk: Desk) -> None:
    gpg = desk.repo.path.with_name("gpg")
    gpg.write_text(
        "#!/bin/sh\ncat > /dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\n"
        'echo "-----BEGIN PGP SIGNATURE-----"; echo "by $*"; echo "-----END PGP SIGNATURE-----"\n'
    )
    gpg.chmod(0o755)
    desk.set(commit__gpgSign="true", gpg__program=str(gpg), user__signingKey="MYKEY")
    desk.lands(Change(), meanwhile=ELSE)
    assert "\ngpgsig -----BEGIN PGP SIGNATURE-----\n by " in desk.raw()
    assert "MYKEY" in desk.raw()


@row("`commit.template`")
def _(desk: Desk) -> None:
    template = desk.repo.path.with_name("template")
    template.write_text("A TEMPLATE\n")
    desk.set(commit__template=str(template))
    desk.lands(Change(), meanwhile=ELSE)
    assert "TEMPLATE" not in desk.raw()


@row("`i18n.commitEncoding`")
def _(desk: Desk) -> None:
    desk.set(i18n__commitEncoding="ISO-8859-1", user__name="Zoë")
    desk.lands(Change(), meanwhile=ELSE)
    found = subprocess.run(
        ["git", "cat-file", "commit", "main"], cwd=desk.repo.path, capture_output=True, check=True
    ).stdout
    assert b"\nencoding " not in found
    assert "Zoë".encode() in found


@row("`merge=union` in attributes")
def _(desk: Desk) -> None:
    desk.repo.commit("attributes", {".gitattributes": "*.log merge=union\n", "a.log": "0\n"})
    desk.lands(desk.writes("a.log", "0\ntheirs\n"), meanwhile={"a.log": "0\nours\n"})
    assert sorted(desk.repo.git("show", "main:a.log").splitlines()) == ["0", "ours", "theirs"]


@row("`merge.NAME.driver`")
def _(desk: Desk) -> None:
    desk.set(merge__both__driver="cat %B | tail -n1 >> %A")
    desk.repo.commit("attributes", {".gitattributes": "*.log merge=both\n", "a.log": "0\n"})
    desk.lands(desk.writes("a.log", "0\ntheirs\n"), meanwhile={"a.log": "0\nours\n"})
    assert desk.repo.git("show", "main:a.log").splitlines() == ["0", "ours", "theirs"]


@row("`-merge`, `binary` in attributes")
def _(desk: Desk) -> None:
    desk.repo.commit("attributes", {".gitattributes": "*.lock -merge\n", "a.lock": "1\n2\n3\n"})
    desk.conflicts(desk.writes("a.lock", "1\n2\n3\n4\n"), meanwhile={"a.lock": "0\n1\n2\n3\n"})


@row("`rerere.enabled`")
def _(desk: Desk) -> None:
    repo = desk.repo
    desk.set(rerere__enabled="true", rerere__autoUpdate="true")
    change, ours = desk.writes("README.md", "theirs\n"), {"README.md": "ours\n"}
    start = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "-q", "-b", "theirs")
    repo.commit("theirs", {"README.md": "theirs\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("ours", ours)
    repo.git("merge", "-q", "theirs", check=False)
    repo.commit("solved", {"README.md": "solved\n"})
    assert list((repo.path / ".git/rr-cache").rglob("postimage"))
    repo.git("reset", "-q", "--hard", start)
    desk.conflicts(change, meanwhile=ours)


@row("`core.hooksPath`, hooks that git runs as a branch moves")
def _(desk: Desk) -> None:
    hooks, said = desk.repo.path.with_name("hooks"), desk.repo.path.with_name("said")
    hooks.mkdir()
    for name in ("reference-transaction", "post-merge", "pre-merge-commit", "prepare-commit-msg"):
        hook = hooks / name
        more = ' && grep -q " refs/heads/main$" && [ "$1" = committed ]'
        condition = f"true{more}" if name == "reference-transaction" else "true"
        hook.write_text(f"#!/bin/sh\n{condition} && echo {name} >> {said}\nexit 0\n")
        hook.chmod(0o755)
    desk.set(core__hooksPath=str(hooks))
    desk.lands(Change())
    assert said.read_text().split() == ["reference-transaction", "post-merge"]


@row("`pre-commit`, `commit-msg` in `core.hooksPath` or `.git/hooks`")
def _(desk: Desk) -> None:
    hooks, said = desk.repo.path.with_name("hooks"), desk.repo.path.with_name("said")
    hooks.mkdir()
    for name in ("pre-commit", "commit-msg"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {said}\n")
        (hooks / name).chmod(0o755)
    desk.set(core__hooksPath=str(hooks))
    desk.lands(Change())
    assert said.read_text().split() == ["pre-commit", "commit-msg"]


@row("`merge.conflictStyle`")
def _(desk: Desk) -> None:
    desk.set(merge__conflictStyle="diff3")
    desk.conflicts(desk.writes("README.md", "theirs\n"), meanwhile={"README.md": "ours\n"})
    assert desk.repo.git("show", "main:README.md") == "ours"
    assert desk.repo.git("status", "--porcelain") == ""


@row("`merge.directoryRenames`")
def _(desk: Desk) -> None:
    desk.repo.commit("folder", {f"old/{n}.txt": f"{n}\n" * 9 for n in range(4)})
    desk.set(merge__directoryRenames="true")
    desk.world = desk.open(desk.repo)
    runs = [desk.world.add_run([desk.writes("old/new-1.txt", "x\n")])]
    # A change to the configuration counts from the next run on.
    desk.set(merge__directoryRenames="false")
    runs.append(desk.world.add_run([desk.writes("old/new-2.txt", "x\n")]))
    desk.repo.git("mv", "old", "new")
    desk.repo.git("commit", "-qm", "moved")
    for run in runs:
        assert desk.world.land(run)["t0"].landing is LANDED
    names = desk.repo.git("ls-tree", "-r", "--name-only", "main").split()
    assert {name for name in names if "/new-" in name} == {"new/new-1.txt", "old/new-2.txt"}


@row("`merge.ff`, `branch.NAME.mergeOptions`, `merge.verifySignatures`")
def _(desk: Desk) -> None:
    desk.set(merge__ff="false", branch__main__mergeOptions="--no-ff", merge__verifySignatures="1")
    desk.lands(Change(), meanwhile=ELSE)
    assert len(desk.shown("%P").split()) == 1


@row("`core.autocrlf`, `core.eol`, `eol` in attributes")
def _(desk: Desk) -> None:
    desk.set(core__autocrlf="true")
    seen = list[bytes]()
    desk.world = desk.open(desk.repo)
    run = desk.world.add_run([desk.writes("new.txt", "1\n2\n")])
    desk.world.look = lambda place: seen.append((place / "new.txt").read_bytes())
    assert desk.world.land(run)["t0"].landing is LANDED
    assert seen == [b"1\r\n2\r\n"]  # verify
    assert (desk.repo.path / "new.txt").read_bytes() == b"1\r\n2\r\n"  # the checkout
    assert desk.repo.git("cat-file", "-s", "main:new.txt") == "4"
    assert desk.repo.git("status", "--porcelain") == ""


@row("`filter.NAME.*` (Git LFS)")
def _(desk: Desk) -> None:
    desk.set(filter__up__clean="tr A-Z a-z", filter__up__smudge="tr a-z A-Z")
    desk.set(filter__up__required="true")
    desk.repo.commit("attributes", {".gitattributes": "*.up filter=up\n"})
    seen = list[str]()
    desk.world = desk.open(desk.repo)
    run = desk.world.add_run([desk.writes("a.up", "word\n")])
    desk.world.look = lambda place: seen.append((place / "a.up").read_text())
    assert desk.world.land(run)["t0"].landing is LANDED
    assert seen == ["WORD\n"]
    assert (desk.repo.path / "a.up").read_text() == "WORD\n"
    assert desk.repo.git("show", "main:a.up") == "word"
    desk.conflicts(desk.writes("a.up", "other\n"), meanwhile={"a.up": "ANOTHER\n"})


@pytest.mark.parametrize("name", ROWS)
def test_a_setting_does_what_the_docs_say(
    tmp_path: Path, opened: Callable[[Repo], QueueWorld], name: str
) -> None:
    ROWS[name](Desk(make_repo(tmp_path / "repo", START), opened))


def test_every_row_of_the_docs_is_held_by_a_test() -> None:
    table = DOCS.read_text().partition("## Your git configuration")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \| \S", table, re.MULTILINE)
    assert rows == list(ROWS)
