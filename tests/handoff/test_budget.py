"""The budget: the least decisive lines go, whole, and their number is told."""

from hypothesis import given
from hypothesis import strategies as st

from abreast.handoff.page import Line, Section, fit, write
from abreast.model.economy import count_tokens
from tests.support.handoffs import HEADER

_TEXT = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cs",)),
    min_size=1,
    max_size=120,
)
_STAYS = (
    Line(Section.RIGHT_NOW, "Stopped."),
    Line(Section.WHY, "Because."),
    Line(Section.NEXT_STEP, "Go on."),
)
_LINES = st.lists(
    st.builds(Line, st.sampled_from(Section), _TEXT, st.integers(1, 50)), max_size=40
).map(lambda more: [*_STAYS, *more])
_LIMITS = st.integers(min_value=80, max_value=900)


def size(lines, left_out):
    return count_tokens(write(HEADER, lines, left_out))


@given(_LINES, _LIMITS)
def test_it_fits(lines, limit):
    kept, left_out = fit(lines, limit, size)
    assert size(kept, left_out) <= limit
    assert left_out == len(lines) - len(kept)


@given(_LINES, _LIMITS)
def test_lines_are_kept_whole_and_in_their_order(lines, limit):
    kept, _ = fit(lines, limit, size)
    assert list(_STAYS) == kept[: len(_STAYS)]
    places = iter(enumerate(lines))
    for line in kept:  # each one is found after the one before it
        assert any(line is other for _, other in places)


@given(_LINES, _LIMITS)
def test_no_line_is_kept_that_is_less_decisive_than_one_left_out(lines, limit):
    kept, left_out = fit(lines, limit, size)
    ids = {id(line) for line in kept}
    out = [line for line in lines if id(line) not in ids]
    assert len(out) == left_out
    if out:
        assert max(line.rank for line in kept) <= min(line.rank for line in out)


@given(_LINES, _LIMITS)
def test_as_many_are_kept_as_fit(lines, limit):
    kept, left_out = fit(lines, limit, size)
    ids = {id(line) for line in kept}
    out = [line for line in lines if id(line) not in ids]
    for count in range(1, len(out) + 1):
        more = sorted(out, key=lambda line: line.rank)[:count]
        with_more = [line for line in lines if id(line) in ids or line in more]
        if len(with_more) == len(kept) + count:
            assert size(with_more, left_out - count) > limit


@given(_LINES, _LIMITS)
def test_the_number_of_lines_left_out_is_told(lines, limit):
    kept, left_out = fit(lines, limit, size)
    note = f"({left_out} less decisive line"
    assert (note in write(HEADER, kept, left_out)) == (left_out > 0)


@given(_TEXT.map(lambda text: text * 40), st.integers(120, 400))
def test_what_has_to_stay_is_cut_when_even_that_is_too_long(text, limit):
    lines = [Line(section, text) for section in list(Section)[:3]]
    kept, left_out = fit(lines, limit, size)
    assert len(kept) == 3
    assert left_out == 0
    assert size(kept, 0) <= limit
    assert all(text.startswith(line.text.removesuffix("…").rstrip()) for line in kept)
