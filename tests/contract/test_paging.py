"""No page is over the limit, no item is lost, and the pages put together are the whole."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abreast.contract.render import items_of, paginate
from abreast.model.economy import count_tokens
from tests.support.deadlines import SECONDS

ITEMS = st.lists(st.text(max_size=200), min_size=1, max_size=40)


@given(ITEMS, st.integers(min_value=1, max_value=120))
@example(["x" * 1000], 1)
@example(["", "", ""], 1)
@example(["🚀" * 50, "a b c"], 2)
def test_pages(items: list[str], limit: int) -> None:
    pages = paginate(items, limit)
    assert "".join(page.text for page in pages) == "\n".join(items)
    assert all(count_tokens(page.text) <= limit for page in pages)
    assert [page.number for page in pages] == list(range(1, len(pages) + 1))
    assert {page.pages for page in pages} == {len(pages)}
    covered = {n for page in pages for n in range(page.first, page.last + 1)}
    assert covered == set(range(1, len(items) + 1))


@given(ITEMS)
def test_what_fits_is_one_page(items: list[str]) -> None:
    [page] = paginate(items, max(1, count_tokens("\n".join(items))))
    assert page.whole_items or len(items) == 1


@given(st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=20))
def test_items_are_not_divided_while_each_fits(items: list[str]) -> None:
    limit = max(count_tokens(item + "\n") for item in items)
    assert all(page.whole_items for page in paginate(items, limit))


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize(
    ("items", "limit"),
    [(["word " * 500_000], 1), (["x" * 2_500_000], 1), (["item"] * 500_000, 1_000_000)],
    ids=["words", "a word", "items"],
)
def test_a_huge_answer_takes_no_longer_than_its_size(items: list[str], limit: int) -> None:
    assert "".join(page.text for page in paginate(items, limit)) == "\n".join(items)


def test_answers_as_items() -> None:
    assert items_of({"text": "one\ntwo"}, "text") == ("one", "two")
    assert items_of({"bullets": ["a", "b"], "nothing_found": None}, "bullets") == ("- a", "- b")
    nothing = {"bullets": [], "nothing_found": "src/"}
    assert items_of(nothing, "bullets") == ("Nothing found: src/",)
    table = {"columns": ["a", "b"], "rows": [["1", "x|y"]], "nothing_found": None}
    assert items_of(table, "table") == ("a | b", "1 | x\\|y")
    assert items_of({"answer": "yes", "why": "It is."}, "yes-no") == ("yes: It is.",)
    finding = {"title": "T", "where": "a:1", "detail": "D", "severity": "low"}
    found = {"findings": [finding], "nothing_found": None}
    assert items_of(found, "findings") == ("- [low] T (a:1): D",)


def test_answers_of_ones_own_shape_as_items() -> None:
    shape = {"type": "object", "properties": {"findings": {"type": "array"}}}
    assert items_of({"findings": ["x"]}, shape) == ('findings: ["x"]',)
    assert items_of({"value": [1, 2]}, {"type": "array"}) == ("- 1", "- 2")
