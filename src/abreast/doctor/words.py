"""Figures in sentences."""


def count(number: float) -> str:
    """Return a whole number with separators: 12,345."""
    return f"{round(number):,}"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def quoted(text: str, most: int = 60) -> str:
    """Return the beginning of a text on one line, in quotation marks."""
    folded = " ".join(text[: 4 * most].split())
    return f'"{folded}"' if len(folded) <= most else f'"{folded[: most - 1]}…"'


def named(names: list[str], most: int = 3) -> str:
    """Return the first of the names, and how many there are beyond them."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
