"""Names of files: no two things share one, and what an earlier version has made is found."""

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from abreast.engine.common.layout import (
    SessionLayout,
    landing_folder,
    layout_of,
    pool_folder,
    repository_folder,
    repository_lock,
)
from abreast.model.session import Session, SessionState
from abreast.model.text import unique_name
from abreast.places import Places

PLACES = Places(Path("/state"), "sqlite://")

# Names that are easily taken for one another, and any others.
_PIECES = st.lists(st.sampled_from(["a", "A", "é", "e\u0301", "/", "-", ".", " ", "x" * 40]))
NAMES = st.one_of(_PIECES.map("".join), st.text())


@given(NAMES, NAMES)
def test_no_two_values_share_a_name_on_any_file_system(one: str, other: str) -> None:
    names = [unique_name(text, text.encode("utf-8", "surrogatepass")) for text in (one, other)]
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,64}", name)
        assert unicodedata.normalize("NFC", name.casefold()) == name
    assert (names[0] == names[1]) == (one == other)


@given(NAMES, NAMES)
def test_each_target_and_each_repository_has_a_folder_of_its_own(one: str, other: str) -> None:
    assume(one != other)
    common = Path("/r/.git")
    assert landing_folder(PLACES, common, one) != landing_folder(PLACES, common, other)
    first, second = (Path("/r") / text.replace("\0", "") / ".git" for text in (one, other))
    assume(first != second)
    assert repository_folder(PLACES, first) != repository_folder(PLACES, second)
    assert repository_lock(PLACES, first) != repository_lock(PLACES, second)
    assert PLACES.handoff_of(first) != PLACES.handoff_of(second)


def test_a_slash_and_a_dash_are_two_targets() -> None:
    common = Path("/r/.git")
    slash, dash = (landing_folder(PLACES, common, name) for name in ("rel/x", "rel-x"))
    assert slash != dash
    assert slash.parent == dash.parent == repository_folder(PLACES, common)


def test_a_worktree_is_found_where_an_earlier_version_made_it() -> None:
    common = Path("/r/.git")
    session = Session("abcde/one", "abcde", "one", "scripted", SessionState.DONE)

    def found(worktree: Path) -> SessionLayout:
        return layout_of(replace(session, worktree=str(worktree)), PLACES, common)

    own = repository_folder(PLACES, common) / "abcde" / "one"
    earlier = PLACES.worktrees / "r-12345678" / "abcde" / "one"
    slot = PLACES.worktrees / "r-12345678" / ".pool" / "slot-1"
    assert layout_of(session, PLACES, common).worktree == own
    assert found(earlier).worktree == earlier
    assert (found(slot).worktree, found(slot).slot) == (slot, slot)
    warm = pool_folder(PLACES, common) / "slot-2"
    assert (found(warm).worktree, found(warm).slot) == (warm, warm)
    for elsewhere in (Path("/r"), PLACES.worktrees / "r-12345678" / "other" / "one"):
        assert found(elsewhere).worktree == own
