"""What is typed to see some rows alone."""

from abreast.cli.groups import rows_of_run
from abreast.faces.filtering import parse_words
from tests.cli import values


def tasks(text: str) -> list[str]:
    return [row.session.task for row in parse_words(text).of(rows_of_run(values.running())).rows]


def test_words_and_keys_narrow_what_is_shown() -> None:
    everything = ["csv-export", "document-the-report-command", "retry-http"]
    assert sorted(tasks("")) == everything
    assert tasks("EXPORT a:cod") == ["csv-export"]
    assert tasks("s:run") == ["csv-export"]
    assert tasks("s:waiting") == ["document-the-report-command"]
    assert sorted(tasks("s:done s:queued")) == everything[1:]
    assert sorted(tasks("r:sho")) == everything
    assert tasks("r:other") == tasks("s:run export nothing") == []
    assert sorted(tasks("s:")) == everything, "the value is being typed"
    assert tasks("x:y") == [], "an unknown key is a word"


def test_runs_without_rows_go() -> None:
    found = rows_of_run(values.running())
    assert parse_words("s:run").of(found).runs == found.runs
    assert parse_words("nowhere").of(found).runs == ()
    assert parse_words("").of(found) is found
