"""Lines of source with what each part of them is, for colours. Pure; Pygments reads the languages.

It is loaded on first use: only what shows source pays for it.
"""

from collections.abc import Sequence

LineParts = tuple[tuple[str, str], ...]

_LONGEST = 200_000  # characters that are read; more than that is shown without colours
_KINDS = (  # the first that a token is within; the order matters
    ("Comment", "comment"),
    ("Keyword", "keyword"),
    ("Literal.String", "string"),
    ("Literal.Number", "number"),
    ("Name.Function", "name"),
    ("Name.Class", "name"),
    ("Name.Decorator", "name"),
    ("Name.Tag", "keyword"),
    ("Operator.Word", "keyword"),
)


def coloured_lines(path: str, lines: Sequence[str]) -> list[LineParts]:
    """Return each line as pairs of a kind and its text; together they are the line.

    Kinds are comment, keyword, string, number, name, and "" for all else. The language is that of
    the file's name; one that is unknown has no kinds.
    """
    plain: list[LineParts] = [(("", line),) if line else () for line in lines]
    if sum(map(len, lines)) > _LONGEST or not lines:
        return plain
    from pygments.lexers import find_lexer_class_for_filename

    name = path.rpartition("/")[2]
    found = find_lexer_class_for_filename(name) if name.isprintable() else None
    if found is None:
        return plain
    lexer = found(stripnl=False, ensurenl=False)
    done: list[list[tuple[str, str]]] = [[]]
    for token, text in lexer.get_tokens("\n".join(lines)):
        kind = _kind(str(token).removeprefix("Token."))
        for number, part in enumerate(text.split("\n")):
            if number:
                done.append([])
            if part:
                done[-1].append((kind, part))
    whole = [tuple(parts) for parts in done]
    same = ["".join(text for _, text in parts) for parts in whole] == list(lines)
    return whole if same else plain  # a lexer may fold what it reads


def _kind(token: str) -> str:
    return next((kind for start, kind in _KINDS if token.startswith(start)), "")
