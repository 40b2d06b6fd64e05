"""An index of an older reading is made anew; what is known of files that are gone stays."""

from pathlib import Path

import sqlalchemy as sa

from abreast.store.migrations import migrate
from tests.store.test_migrations import DATA


def test_transcripts_are_read_again_once(empty_database: sa.Engine):
    migrate(empty_database, "0006")
    rows = (DATA / "0006.sql").read_text().split(";\n")
    [known] = [row for row in rows if "INTO abreast_transcripts" in row]
    gone = known.replace("6b0c0d0e.jsonl", "gone.jsonl").replace("1.5, NULL", "1.5, 1790000400")
    with empty_database.begin() as db:
        for row in (known, gone):
            db.connection.driver_connection.execute(row)
    migrate(empty_database)
    with empty_database.connect() as db:
        paths = db.execute(sa.text("SELECT path FROM abreast_transcripts")).scalars()
        assert [Path(path).name for path in paths] == ["gone.jsonl"]
