"""The board: all sessions in groups, what needs somebody first."""

from collections.abc import Iterator

from markupsafe import Markup

from abreast.faces.alerts import line_of
from abreast.faces.filtering import RowWords, parse_words
from abreast.model.snapshot import Row, Snapshot
from abreast.page.live import Parts
from abreast.page.rendering import part

_TEMPLATE = "board_parts.html"


class BoardView:
    """Rows that have not changed are not drawn again: there may be a thousand."""

    run = ""

    def __init__(self, words: str = "") -> None:
        self._words: RowWords = parse_words(words)
        self._drawn: dict[str, tuple[Row, Markup]] = {}

    def parts(self, snapshot: Snapshot) -> Parts:
        found = self._words.of(snapshot)
        parts = {"line": part(_TEMPLATE, "line", line_of(snapshot))}
        before, self._drawn = self._drawn, {}
        for group, rows in found.groups():
            name = group.replace(" ", "-")
            parts[f"group-{name}"] = part(_TEMPLATE, "heading", name, group, len(rows))
            parts.update(self._rows(rows, before))
        if not found.rows:
            parts["nothing"] = part(_TEMPLATE, "nothing", bool(snapshot.rows))
        return parts

    def _rows(
        self, rows: tuple[Row, ...], before: dict[str, tuple[Row, Markup]]
    ) -> Iterator[tuple[str, Markup]]:
        for row in rows:
            known = before.get(row.id)
            html = known[1] if known and _same(known[0], row) else _drawn(row)
            self._drawn[row.id] = row, html
            yield f"row-{row.id}", html


def _drawn(row: Row) -> Markup:
    return part(_TEMPLATE, "row", row)


def _same(one: Row, other: Row) -> bool:
    # A session that has not changed is the same value in the next snapshot.
    return (
        one.session is other.session
        and one.group is other.group
        and one.need == other.need
        and one.waits == other.waits
    )
