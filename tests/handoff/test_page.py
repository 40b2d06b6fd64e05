"""The header: read back as it was written, and known from other texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.handoff.page import header_line, read_header, write
from abreast.model.handoff import Header

_NAMES = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(
    st.builds(
        Header,
        agent=_NAMES,
        session=_NAMES,
        at=st.integers(0, 4_000_000_000).map(float),
        commit=_NAMES,
        branch=_NAMES,
        work=_NAMES,
        of=_NAMES,
    )
)
def test_what_is_written_is_read(header):
    line = header_line(header)
    assert len(line.splitlines()) == 1
    assert read_header(write(header, [])) == header


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# Current work\n\nmine\n",
        "> abreast handoff 1: agent=x at=2026-11-22T19:29:24Z\n",
        "# Current work\n\n> abreast handoff 1: agent=x at=yesterday\n",
        "# Current work\n\n> abreast handoff 2: agent=x at=2026-11-22T19:29:24Z\n",
    ],
)
def test_what_is_none_of_ours(text):
    assert read_header(text) is None
