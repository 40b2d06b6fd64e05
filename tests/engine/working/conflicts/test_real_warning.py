"""A real CLI's turns are seen to end, and its model hears what its work conflicts with by then."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from abreast.agents import mailbox
from abreast.model.moves import Edit, Say
from abreast.model.session import SessionState
from tests.support.deadlines import eventually
from tests.support.rig import Rig, every_cli, rigged, told
from tests.support.stage import scripted, task, until

pytestmark = pytest.mark.clis


@pytest.fixture
def rig(name: str, tmp_path: Path) -> Iterator[Rig]:
    with rigged(name, tmp_path) as made:
        yield made


@every_cli
def test_the_later_one_is_told_once_of_what_both_have_changed(rig: Rig) -> None:
    stage, gate, end = rig.stage, rig.root / "gate", rig.root / "end"
    first = stage.start(
        task("first", scripted(Edit("README.md", "# demo", "# 1"), until(end), Say("done"))),
        warn_agents=True,
    )
    earlier = f"{first.id}/first"
    stage.until(earlier, lambda session: session.turns > 1)
    edit = Edit("README.md", "# demo", "# 2\nmore")
    second = stage.start(rig.task("second", edit, until(gate), Say("done")), warn_agents=True)
    later = f"{second.id}/second"
    eventually(lambda: stage.events(later, "tell"), "it is told while its tool call runs")
    assert [one.other for one in stage.session(later).conflicts] == [earlier]
    gate.touch()
    assert stage.wait(second.id).sessions[0].state is SessionState.DONE
    end.touch()
    assert stage.wait(first.id).sessions[0].state is SessionState.DONE

    (said,) = stage.events(later, "tell")
    assert '<conflicts>\n"README.md" yours: lines 1-2, theirs: line 1\n</conflicts>' in said
    assert stage.events(earlier, "tell") == []
    box = stage.directory(later).parent / "cli" / "mailbox"
    assert mailbox.taken(box, 1) == mailbox.TOOL
    *before, last = rig.turns("second")
    assert "It is not from the user." in told(last)
    assert not any("It is not from the user." in told(request) for request in before)
