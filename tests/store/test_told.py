"""Sessions may send each other a few notes an hour; a person may say what they like."""

import pytest

from abreast.errors import StateError
from abreast.store.told import HOUR, NOTES_AN_HOUR
from abreast.store.transcripts import count_notes
from tests.store.samples import make_run


def test_the_notes_of_a_session_are_limited_and_counted(store, reader, clock):
    store.add_run(make_run(), "{}")
    began = clock.now
    for number in range(NOTES_AN_HOUR):
        store.tell(f"r1/t{number % 2}", "r1/lead", f"note {number}")
        clock.now += 60
    with pytest.raises(StateError, match="r1/lead has sent 10 notes within an hour") as refused:
        store.tell("r1/t0", "r1/lead", "one more")
    assert refused.value.hint == "it may send the next one in 50 minutes: say more in fewer notes"
    # Neither a person nor another session has used these up.
    for _ in range(NOTES_AN_HOUR + 1):
        store.tell("r1/t0", "", "r1/lead: is not the sender")
    store.tell("r1/t0", "r1/leader", "hello")
    clock.now = began + HOUR + 1
    store.tell("r1/t0", "r1/lead", "one more")
    assert count_notes(reader.database, 0) == NOTES_AN_HOUR + 2
    assert count_notes(reader.database, clock.now) == 1
