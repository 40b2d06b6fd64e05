"""Sums that hold whatever is summed, prices, and moments to begin with."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abreast.agents import AGENTS
from abreast.economics.ledger import account, kept_out, merged, tally, unrecorded
from abreast.economics.rows import NO_DAY, NO_RUN, Part, Prices, rows
from abreast.engine.reading.doctor.sessions import measured
from abreast.engine.reading.ledger.read import name_of, names_in, pack, unpack
from abreast.engine.reading.ledger.report import moment
from abreast.engine.working.session.spending import ends_of
from abreast.errors import AbreastError
from abreast.model.economy import QUARTER, By, Tally
from abreast.model.events import Outcome, Verdict
from abreast.model.transcript import Aside, Called, Spent, ToolKind, Transcript
from abreast.runner.job import Result

LISTS = [agent.prices for agent in AGENTS.values() if agent.prices]
PRICES = Prices(LISTS)

TOKENS = st.integers(0, 2**32 - 1)
REQUESTS = st.lists(
    st.builds(
        Spent,
        at=st.just(0.0) | st.floats(1.7e9, 1.9e9),
        id=st.text(max_size=5),
        model=st.sampled_from(["gpt-5.5", "claude-opus-4-8", "house-model", ""]),
        input_tokens=TOKENS,
        cached_tokens=TOKENS,
        output_tokens=TOKENS,
        written_tokens=TOKENS,
        cost_usd=st.none() | st.floats(0, 1000),
    ),
    max_size=30,
)


def sums(tallies):
    return [sum(one[n] for one in tallies) for n in range(2, 7)]


def truth(requests):
    return [
        len(requests),
        sum(one.input_tokens for one in requests),
        sum(one.cached_tokens for one in requests),
        sum(one.output_tokens for one in requests),
        sum(one.written_tokens for one in requests),
    ]


@given(REQUESTS, st.integers(0, 30))
def test_tallies_add_up_however_they_are_cut(requests, place):
    whole = tally(requests)
    assert sums(whole) == truth(requests)
    assert [one[:2] for one in whole] == sorted({one[:2] for one in whole})
    cut = merged([*tally(requests[:place]), *tally(requests[place:])])
    assert [one[:7] for one in cut] == [one[:7] for one in whole]
    assert sum(one.cost for one in cut) == pytest.approx(sum(one.cost for one in whole))
    stated = [one.cost_usd for one in requests if one.cost_usd is not None]
    assert sum(one.stated for one in whole) == len(stated)
    assert sum(one.cost for one in whole) == pytest.approx(sum(stated))


@given(REQUESTS)
def test_packed_requests_are_what_they_were(requests):
    named = {name_of("claude", one.id): one for one in requests}
    packed, models, bad = pack(dict(named))
    assert bad == 0
    assert names_in(packed) == list(named)
    back = unpack(packed, models)
    assert tally(back.values()) == tally(named.values())
    assert [one.at for one in back.values()] == [one.at for one in named.values()]


def test_a_request_beyond_reason_is_left_out_and_told():
    good, huge = Spent(1.0, "a", "m", 1, 0, 1), Spent(1.0, "b", "n", 2**32, 0, 1)
    packed, models, bad = pack({name_of("x", one.id): one for one in (good, huge)})
    assert bad == 1
    assert [one.model for one in unpack(packed, models).values()] == ["m"]


@given(st.lists(REQUESTS, max_size=4), st.sampled_from([*By]))
def test_rows_add_up_to_the_total(sessions, by):
    parts = [
        Part(f"agent{n % 2}", f"s{n // 2}", f"s{n // 2}", tally(one), subagent=n % 3 == 2)
        for n, one in enumerate(sessions)
    ]
    found, total = rows(parts, by, prices=PRICES)
    flat = [one for requests in sessions for one in requests]
    for part in (found, [total]):
        counted = [
            (r.requests, r.input_tokens, r.cached_tokens, r.output_tokens, r.written_tokens)
            for r in part
        ]
        assert [sum(column) for column in zip(*counted, strict=True)] == (
            truth(flat) if part else []
        )
    known = [one.cost.usd for one in found if one.cost.usd is not None]
    assert (total.cost.usd or 0) == pytest.approx(sum(known))
    assert total.cost.unpriced == sum(one.cost.unpriced for one in found)


@given(REQUESTS, st.floats(0, 2e9))
def test_since_cuts_at_a_quarter(requests, since):
    start = since // QUARTER * QUARTER
    _, total = rows([Part("a", "s", "s", tally(requests))], By.DAY, start)
    assert total.requests == sum(one.at // QUARTER * QUARTER >= start for one in requests)


@given(REQUESTS)
def test_what_a_cli_counted_is_what_is_recorded_and_the_rest(requests):
    recorded = tally(requests)
    counted = {}
    for one in recorded:
        found = counted.setdefault(one.model, [0] * 4)
        own = (one.prompt, one.cached, one.written, one.output)
        found[:] = [a + b for a, b in zip(found, own, strict=True)]
    assert unrecorded(counted, recorded) == []
    counted.setdefault("gpt-5.5", [0] * 4)[0] += 5
    [more] = unrecorded(counted, recorded)
    assert (more.model, more.requests, more.prompt, more.output) == ("gpt-5.5", 1, 5, 0)
    if requests and sum(sums(recorded)[1:]):
        assert unrecorded({}, recorded) is None


def test_a_day_is_the_machines_own(set_zone):
    midnight = datetime.fromisoformat("2026-11-21T00:00:00+05:45").timestamp()
    parts = [Part("a", "s", "s", tally([Spent(midnight + n, "", "m", 1, 0, 1) for n in (-1, 0)]))]
    for zone, days in {
        "Asia/Kathmandu": ["2026-11-20", "2026-11-21"],
        "UTC": ["2026-11-20"],
    }.items():
        set_zone(zone)
        assert [row.name for row in rows(parts, By.DAY)[0]] == days
    undated = [Part("a", "s", "s", tally([Spent(0.0, "", "m", 1, 0, 1)]))]
    assert [row.name for row in rows(undated, By.DAY)[0]] == [NO_DAY]
    assert [row.name for row in rows(undated, By.RUN)[0]] == [NO_RUN]


def test_a_stated_cost_is_divided_and_stays_what_it_was():
    parts = [
        Part(
            "a",
            "s",
            "r/s",
            [Tally(1, "gpt-5.5", 1, 10**6, 0, 0, 0), Tally(100, "x", 2, 5, 0, 5, 0)],
        ),
        Part(
            "a", "t", "r/t", [Tally(1, "gpt-5.5", 1, 10**6, 0, 0, 0), Tally(1, "x", 2, 5, 0, 5, 0)]
        ),
    ]
    found, total = rows(parts, By.SESSION, stated={"r/s": 1.5}, prices=PRICES)
    costs = {row.name: row.cost for row in found}
    assert costs["r/s"].stated == pytest.approx(1.5)
    assert (costs["r/s"].estimated, costs["r/s"].unpriced) == (None, 0)
    assert (costs["r/t"].stated, costs["r/t"].unpriced) == (None, 2)
    assert costs["r/t"].estimated == pytest.approx(5.0)
    assert total.cost.usd == pytest.approx(6.5)


def test_prices():
    assert PRICES.date == min(one.date for one in LISTS)
    datetime.fromisoformat(PRICES.date)
    assert PRICES.cost("claude-opus-4-8", 1_000_000, 500_000, 100_000, 10_000) == pytest.approx(
        0.4 * 5 + 0.5 * 0.5 + 0.1 * 6.25 + 0.01 * 25
    )
    assert PRICES.of("claude-opus-4-8-fast").output == 2 * PRICES.of("claude-opus-4-8").output
    assert PRICES.of("claude-haiku-4-5-20251001") == PRICES.of("claude-haiku-4-5") is not None
    assert PRICES.of("gemini-3-pro-preview") == PRICES.of("gemini-3-pro") is not None
    assert PRICES.of("gpt-5.5-mini") is PRICES.of("house-model") is PRICES.of("") is None
    known = [price for one in LISTS for price in one.models.values()]
    assert known
    assert all(0 <= p.cached <= p.prompt <= p.written <= p.output for p in known)
    assert Prices([None]).cost("gpt-5.5", 1, 0, 0, 1) is None


def test_moments(set_zone):
    set_zone("America/St_Johns")
    now = datetime.fromisoformat("2026-11-21T15:00:00-03:30").timestamp()
    for text, day in {
        "1d": "2026-11-21T00:00:00-03:30",
        "7d": "2026-11-15T00:00:00-03:30",
        "2w": "2026-11-08T00:00:00-03:30",
        "4w": "2026-10-25T00:00:00-02:30",  # before the clocks were turned back
        "2026-11-01": "2026-11-01T00:00:00-02:30",
    }.items():
        assert moment(text, now) == datetime.fromisoformat(day).timestamp(), text
    assert moment("12h", now) == now - 12 * 3600
    assert moment("") == 0
    assert moment(12.5) == 12.5
    for text in ("7", "d", "yesterday", "2026-13-01", "999999d"):
        with pytest.raises(AbreastError, match="is not a time or a span"):
            moment(text, now)


@pytest.mark.parametrize(
    ("prompts", "kept"),
    [
        ((9_000,), 10),
        ((9_000, 20_000, 60_000), 60_010 - 9_000),
        ((9_000, 9_000, 9_005), 9_015 - 9_000),
        # Its history was replaced by a summary: what had been in it was kept out all the same.
        ((9_000, 60_000, 12_000), 60_010 - 9_000),
        ((9_000, 60_000, 12_000, 30_000), 60_010 - 9_000 + 30_010 - 12_010),
    ],
)
def test_what_was_compacted_was_kept_out(prompts, kept):
    requests = [Spent(n, str(n), "m", prompt, 0, 10) for n, prompt in enumerate(prompts)]
    assert kept_out(requests) == kept
    # Whoever else tells it tells the same; what the provider asked aside is no part of it.
    aside = Aside(99.0, "a", "m", 500, 0, 10)
    told = account([*requests, aside], "c", "p", "x")
    assert (told.start_up, told.kept_out) == ends_of([*requests, aside], ()) == (9_000, kept)
    child = Transcript("x", "", "c", (*requests, aside))
    events = (Called(1.0, "x", ToolKind.DELEGATE, "Agent", child="c"),)
    [seen] = measured(Transcript("x", "", "p", events, (child,)))
    assert (seen.account.start_up, seen.account.kept_out) == (9_000, kept)


def test_what_processes_state_of_a_compacted_session_was_kept_out():
    def ended(start_up, context):
        verdict = Verdict(Outcome.OK, "", start_up=start_up, context=context)
        return Result(0.0, 1.0, 0, verdict)

    assert ends_of((), [ended(9_000, 60_000), ended(12_000, 20_000)]) == (9_000, 51_000)
    assert ends_of((), [ended(9_000, 60_000), ended(60_500, 70_000)]) == (9_000, 61_000)
    assert ends_of((), [ended(9_000, None)]) == (9_000, None)
    assert ends_of((), []) == (None, None)
