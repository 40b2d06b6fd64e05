"""What bounds all sessions of a run, or of a day, together, and what they have used of it. Pure."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Budget:
    """Bounds on what the sessions of a run, or of a day, use together; 0 means no bound.

    Children and repairs count. `minutes` is how long a run has been at work. `turns` are model
    requests, `tokens` input plus output. `usd` is what CLIs state; with `price_list`, where a CLI
    states no cost, what its provider's price list makes of its tokens.
    """

    minutes: float = 0.0
    turns: int = 0
    tokens: int = 0
    usd: float = 0.0
    price_list: bool = False

    @property
    def bounded(self) -> bool:
        """Whether it bounds anything."""
        return bool(self.minutes or self.turns or self.tokens or self.usd)

    def passed_by(self, spent: "Consumption") -> bool:
        """Return whether more than a bound is used: what has come just to it may end by itself."""
        names = ("minutes", "turns", "tokens", "usd")
        pairs = ((getattr(self, name), getattr(spent, name)) for name in names)
        return any(bound and used > bound for bound, used in pairs)


@dataclass(frozen=True)
class Consumption:
    """What sessions have used. `listed` is the part of `usd` that no CLI has stated.

    It is an estimate by the providers' price lists.
    """

    minutes: float = 0.0
    turns: int = 0
    tokens: int = 0
    usd: float = 0.0
    listed: float = 0.0

    def __add__(self, other: "Consumption") -> "Consumption":
        return Consumption(*(getattr(self, n) + getattr(other, n) for n in _NAMES))

    def beyond(self, earlier: "Consumption") -> "Consumption":
        """Return by how much these running totals exceed `earlier` ones."""
        return Consumption(*(max(getattr(self, n) - getattr(earlier, n), 0) for n in _NAMES))

    def most(self, other: "Consumption") -> "Consumption":
        """Return the larger of each total."""
        return Consumption(*(max(getattr(self, n), getattr(other, n)) for n in _NAMES))


_NAMES = tuple(one.name for one in fields(Consumption))


def reached(budget: Budget, spent: Consumption, whose: str, *, prices: str = "") -> str:
    """Return which bound is reached and what it had come to, in words; "" where none is.

    `whose` is as in "the run's". `prices` is the date of the price lists.
    """
    for name, noun in (("minutes", "minutes"), ("turns", "turns"), ("tokens", "tokens")):
        bound, used = getattr(budget, name), getattr(spent, name)
        if bound and used >= bound:
            told = f"{used:,.1f}".removesuffix(".0") if name == "minutes" else f"{used:,}"
            return f"{whose} limit of {bound:,g} {noun}: {told} are used"
    if budget.usd and spent.usd >= budget.usd:
        by = f", {dollars(spent.listed)} of it by the price lists of {prices}"
        told = f"{dollars(spent.usd)} are spent{by if spent.listed else ''}"
        return f"{whose} limit of {dollars(budget.usd)}: {told}"
    return ""


def dollars(amount: float) -> str:
    """Return an amount of US dollars in words, small ones with four digits behind the point."""
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:,.4f}"
