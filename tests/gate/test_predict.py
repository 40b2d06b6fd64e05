"""Predicted paths: by name, by what changes like the task touched, and never by chance alone."""

from abreast.gate.past import Past
from abreast.gate.predict import Hits, predict
from abreast.gate.study import study
from abreast.gate.terms import likeness, terms
from tests.gate.histories import hub_and_quiet


def test_a_path_that_fits_by_name_and_by_changes_comes_first() -> None:
    hits = Hits((("a.py", 5.0), ("b.py", 5.0)), ((("b.py",), 3.0, 0),))
    first, second = predict(Past(), hits)
    assert (first.path, second.path) == ("b.py", "a.py")
    assert 1 > first.probability > second.probability > 0


def test_recent_changes_weigh_more_and_large_ones_less() -> None:
    old = Hits(changes=((("old.py",), 3.0, 3000), (("new.py",), 3.0, 3)))
    assert [path.path for path in predict(Past(), old)] == ["new.py", "old.py"]
    many = ("large.py", *(f"{number}.py" for number in range(30)))
    sizes = Hits(changes=((many, 3.0, 0), (("small.py",), 3.0, 0)))
    assert predict(Past(), sizes)[0].path == "small.py"


def test_what_defines_a_name_comes_first_and_the_fewer_files_do_the_likelier() -> None:
    hits = Hits((("a.py", 5.0),), defining={"b.py": 1, "c.py": 3})
    found = {path.path: path.probability for path in predict(Past(), hits)}
    assert list(found) == ["b.py", "c.py", "a.py"]
    assert found["b.py"] > 2 * found["c.py"]


def test_without_anything_that_fits_nothing_is_predicted() -> None:
    assert predict(study(hub_and_quiet()), Hits()) == ()


def test_words_are_split_as_code_writes_them() -> None:
    assert terms("readConfig_file HTTPServer the") == terms("read config file HTTP server")
    assert terms("Fixes") == terms("fixed")
    assert terms("日本語 пример") == ["日本語", "пример"]
    assert len(terms("word " * 300_000)) <= 4000
    assert terms("") == []


def test_likeness_is_between_nothing_and_all() -> None:
    assert likeness(["a", "b"], ["b", "a"], {}) == 1.0
    assert likeness(["a"], ["b"], {}) == likeness([], ["b"], {}) == 0.0
    assert 0 < likeness(["a", "b"], ["b", "c"], {"b": 5.0}) < 1
