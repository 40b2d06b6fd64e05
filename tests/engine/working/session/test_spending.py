"""What an attempt costs is what its CLI states, or what a price list makes of its tokens."""

from itertools import product

import pytest

from abreast.agents import AGENTS
from abreast.economics.rows import Prices
from abreast.engine.working.session.spending import spent_of
from abreast.model.usage import Usage

USED = Usage(1_000_000, 400_000, 20_000)
SILENT = [name for name, one in AGENTS.items() if one.prices and not one.capabilities.cost]
STATING = [name for name, one in AGENTS.items() if one.capabilities.cost]


@pytest.mark.parametrize("agent", SILENT)
def test_where_no_cost_is_stated_the_price_list_counts(agent: str) -> None:
    listed = AGENTS[agent].prices
    assert listed is not None
    prices = Prices([listed])
    (first, _), *_ = listed.models.items()
    found = spent_of(agent, 3, USED, {first: USED})
    assert found.usd == found.listed == prices.cost(first, 1_000_000, 400_000, 0, 20_000)
    assert (found.turns, found.tokens) == (3, 1_020_000)
    dearest = max(prices.cost(one, 1_000_000, 400_000, 0, 20_000) or 0.0 for one in listed.models)
    for model in ("", "model-x"):
        assert spent_of(agent, 3, USED, {model: USED}).usd == dearest


@pytest.mark.parametrize(("agent", "cost"), [*product(STATING, (None, 1.25))])
def test_what_is_stated_counts_and_nothing_is_guessed_before(
    agent: str, cost: float | None
) -> None:
    stated = Usage(1_000_000, 400_000, 20_000, cost)
    found = spent_of(agent, 3, stated, {"": stated})
    assert (found.usd, found.listed) == (cost or 0.0, 0.0)


def test_a_command_costs_nothing_that_anybody_knows_of() -> None:
    assert spent_of("command", 0, Usage(), {"": Usage()}).usd == 0.0
