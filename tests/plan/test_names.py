"""Ids and subjects made of prose are fit for branches, files and commits, whatever the prose."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.plan.names import MAX_SUBJECT, id_problem, slug, subject, unique_slugs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix bug A", "fix-bug-a"),
        ("Don't retry POST; retry GET", "dont-retry-post-retry-get"),
        ("Größe ändern: src/größe.py", "groe-andern-src-groe-py"),
        ("日本語", "task-0b52e5"),
        ("日本語。", "task-a63911"),
        ("バグを修正する", "task-2345fa"),
        ("", "task-000000"),
        ("READMEを直す", "readme"),
        ("Make the exporter write a header line first", "make-the-exporter-write-a-header"),
        ("a" * 50, "a" * 32),
    ],
)
def test_a_slug_is_the_first_words(text, expected):
    assert slug(text) == expected


def test_equal_slugs_are_numbered():
    texts = ["fix", "fix!", "fix 2", "Fix", "other"]
    assert unique_slugs(texts) == ["fix", "fix-2", "fix-2-2", "fix-3", "other"]


@given(st.lists(st.text(max_size=40), max_size=8))
def test_slugs_are_always_good_and_different_ids(texts):
    slugs = unique_slugs(texts)
    assert len(set(slugs)) == len(texts)
    assert [id_problem(name) for name in slugs] == [None] * len(texts)


@pytest.mark.parametrize("name", ["a.b", "_", "a--b", "x" * 60, "a.lock.b", "0"])
def test_git_agrees_with_what_is_taken_for_a_good_id(name):
    assert id_problem(name) is None
    subprocess.run(["git", "check-ref-format", f"refs/heads/abreast/r/{name}"], check=True)


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("Fix it.", "Fix it."),
        ("\n\n  # Fix   it  \n\nBecause.", "Fix it"),
        ("- first\n- second", "first"),
        ("***\nafter a rule", "after a rule"),
        ("", ""),
        ("w" * 72, "w" * 72),
        ("w" * 73, "w" * 71 + "…"),
        ("word " * 20, "word " * 13 + "word…"),
        ("a" * 60 + " and then, " + "b" * 30, "a" * 60 + " and then…"),
    ],
)
def test_a_subject_is_the_first_line_cut_at_a_word(prompt, expected):
    assert subject(prompt) == expected


@given(st.text(max_size=200))
def test_a_subject_is_one_short_line(prompt):
    line = subject(prompt)
    assert len(line) <= MAX_SUBJECT
    assert line == line.strip()
    assert len(line.splitlines()) <= 1


def test_a_megabyte_of_white_space_is_passed_over_at_once():
    """The time is that of one pass; with two loops it would be hours."""
    assert subject(f"#  Retry{' ' * 1_000_000}requests  ") == "Retry requests"
