"""Settings come in layers, and the later ones count more."""

from pathlib import Path
from textwrap import dedent

import pytest

from abreast.errors import PlanError
from abreast.model.budget import Budget
from abreast.model.gate import GateMode
from abreast.model.limits import Limits
from abreast.model.sandbox import SandboxMode, SandboxSettings
from abreast.model.session import LandMode
from abreast.plan.options import Overrides, from_environment
from abreast.plan.parse import parse_plan, parse_prompts
from abreast.plan.schema import (
    BudgetTable,
    DiskTable,
    LimitsTable,
    NotifyTable,
    RequestTable,
    RunBudgetTable,
    RunTable,
    SandboxTable,
    SettingsTable,
)
from abreast.plan.settings import (
    HARMLESS,
    Layer,
    Level,
    combine,
    day_budget_of,
    digest_of,
    flat,
    needs_yes,
    read_layer,
    sandbox_of,
    settings_of,
)

AGENTS = ("claude", "codex", "command")


def layer(text: str, level: Level = Level.USER) -> Layer:
    return read_layer(dedent(text), Path("config.toml"), level, AGENTS)


def test_the_keys_are_those_of_the_schema() -> None:
    keys = {*RunTable.model_fields}
    assert keys | {"delegate", "sandbox", "notify", "disk"} == {*SettingsTable.model_fields}
    assert keys | {"delegate"} > HARMLESS
    listed = {one.key.partition(".")[0] for one in settings_of((), "claude")}
    assert listed == keys | {"sandbox", "notify", "disk"}
    inner = {one.key for one in settings_of((), "claude") if "." in one.key}
    tables = {
        "limits": LimitsTable,
        "limits.run": RunBudgetTable,
        "limits.day": BudgetTable,
        "pr": RequestTable,
        "sandbox": SandboxTable,
        "notify": NotifyTable,
        "disk": DiskTable,
    }
    assert inner == {f"{name}.{key}" for name, one in tables.items() for key in one.model_fields}


def test_a_plan_says_more_than_settings_and_a_project_more_than_its_user() -> None:
    user = layer('agent = "codex"\nverify = "make user"\n[limits]\nminutes = 5\nturns = 7')
    project = layer('verify = "make project"\n[limits]\nturns = 8', Level.PROJECT)
    values = combine([user, project])
    text = '[limits]\nminutes = 9\n[[task]]\nid = "a"\nprompt = "x"\n'
    [task] = parse_plan(text, Path("p.toml"), agents=AGENTS, settings=values).plan.tasks
    assert (task.agent.name, task.verify) == ("codex", "make project")
    assert task.limits == Limits(minutes=9, turns=8)

    whole = 'agent = "claude"\nverify = ""\n[[task]]\nid = "a"\nprompt = "x"\n'
    [task] = parse_plan(whole, Path("p.toml"), agents=AGENTS, settings=values).plan.tasks
    assert (task.agent.name, task.verify) == ("claude", "")


def test_the_limits_of_a_run_are_joined_key_by_key_and_those_of_a_day_are_the_users() -> None:
    user = layer("[limits]\nturns = 7\n[limits.run]\nusd = 5\ntokens = 9\n[limits.day]\nusd = 20.5")
    project = layer("[limits.run]\nusd = 4\nprice_list = true", Level.PROJECT)
    text = '[limits.run]\nminutes = 90\n[[task]]\nid = "a"\nprompt = "x"\n'
    settings = combine([user, project])
    plan = parse_plan(text, Path("p.toml"), agents=AGENTS, settings=settings).plan
    assert plan.budget == Budget(minutes=90, tokens=9, usd=4, price_list=True)
    assert plan.tasks[0].limits.turns == 7
    assert day_budget_of([user, project]) == Budget(usd=20.5)
    found = {one.key: (one.value, one.level) for one in settings_of([user, project], "claude")}
    assert found["limits.run.usd"] == (4, Level.PROJECT)
    assert found["limits.run.tokens"] == (9, Level.USER)


def test_options_go_over_the_limits_of_a_run() -> None:
    text = '[limits.run]\nminutes = 90\nusd = 3\n[[task]]\nid = "a"\nprompt = "x"\n'
    options = Overrides(limit=("usd=4.5", "tokens=7", "price_list=true"))
    plan = parse_plan(text, Path("p.toml"), options, agents=AGENTS).plan
    assert plan.budget == Budget(minutes=90, tokens=7, usd=4.5, price_list=True)
    for wrong in ("usd", "usd=x", "usd=nan", "usd=-1", "tokens=1.5", "idle=3", "price_list=1"):
        with pytest.raises(PlanError, match="--limit"):
            parse_plan(text, Path("p.toml"), Overrides(limit=(wrong,)), agents=AGENTS)


@pytest.mark.parametrize("table", ["[limits.day]\nusd = 1", "limits = { day = {} }"])
def test_a_day_is_not_a_projects_or_a_plans_to_limit(table: str) -> None:
    with pytest.raises(PlanError, match="sessions of other projects"):
        layer(table, Level.PROJECT)
    text = f'{table}\n[[task]]\nid = "a"\nprompt = "x"\n'
    with pytest.raises(PlanError, match="unknown key"):
        parse_plan(text, Path("p.toml"), agents=AGENTS)
    with pytest.raises(PlanError, match="unknown key"):
        parse_plan('[[task]]\nid = "a"\nprompt = "x"\nlimits.run.usd = 1', Path("p"), agents=AGENTS)


def test_tasks_in_words_get_the_settings_and_options_say_more() -> None:
    values = combine([layer('agent = { command = "make" }\nland = "merge"\nbatch = 4\npool = 2')])
    plan = parse_prompts(["Do a."], Overrides(), agents=AGENTS, settings=values)
    assert (plan.land, plan.batch, plan.pool) == (LandMode.MERGE, 4, 2)
    assert plan.tasks[0].agent.command == "make"
    chosen = Overrides(agent="codex", land=LandMode.NONE)
    plan = parse_prompts(["Do a."], chosen, agents=AGENTS, settings=values)
    assert (plan.land, plan.tasks[0].agent.name, plan.tasks[0].id) == (
        LandMode.NONE,
        "codex",
        "do-a",
    )


def test_the_sandbox_is_the_users_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    whole = layer("[sandbox]\nmode = 'bwrap'\nallow = ['~/data', '/srv']")
    assert sandbox_of([whole]) == SandboxSettings(SandboxMode.BWRAP, ("/home/me/data", "/srv"))
    assert sandbox_of([layer("sandbox = 'none'")]).mode is SandboxMode.NONE
    assert sandbox_of([]) == SandboxSettings()
    assert combine([whole]) == {}
    with pytest.raises(PlanError, match=r"config.toml:2 sandbox: is not a project's to say"):
        layer("\nsandbox = 'none'", Level.PROJECT)
    assert sandbox_of([Layer(Level.PROJECT, "", {"sandbox": {"mode": "none"}})]).mode == "auto"


def test_every_setting_tells_where_it_comes_from() -> None:
    user = layer('agent = "codex"\nmodel = "m"')
    project = layer('model = "n"', Level.PROJECT)
    environment = Layer(Level.ENVIRONMENT, "ABREAST_GATE", {"gate": "off"})
    found = {one.key: one for one in settings_of([user, project, environment], "claude")}
    assert (found["agent"].value, found["agent"].level) == ("codex", Level.USER)
    assert (found["model"].value, found["model"].level) == ("n", Level.PROJECT)
    assert (found["gate"].place, found["gate"].level) == ("ABREAST_GATE", Level.ENVIRONMENT)
    assert (found["limits.minutes"].value, found["limits.minutes"].level) == (60.0, Level.DEFAULT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("agnet = 'codex'", "config.toml:1 agnet: unknown key\n  hint: did you mean `agent`?"),
        ("batch = 0", "config.toml:1 batch: must be at least 1, but is 0"),
        (
            "max_parallel = 2147483648",
            "max_parallel: must be at most 2147483647, but is 2147483648",
        ),
        (f"repairs = {10**30}", "repairs: must be at most 2147483647"),
        (f"limits.tokens = {10**30}", "limits.tokens: must be at most 9007199254740992"),
        ("agent = 'codx'", "config.toml:1 agent: there is no agent `codx`"),
        ("\n[limits]\nminuets = 3", "config.toml:3 limits.minuets: unknown key"),
        ("base = 'main'", "config.toml:1 base: unknown key"),
        ("batch = 0", "config.toml:1 batch: "),
        ("[[task]]\nid = 'a'", "config.toml:1 task: unknown key"),
        ("pass_env = ['A=b']", "names variables, but gives `A` a value"),
        ("land = ", "config.toml:1: is not valid TOML"),
        ("sandbox = 'off'", "config.toml:1 sandbox.mode: must be one of auto, bwrap, none"),
        ("sandbox.allow = ['a']", "sandbox.allow[1]: must be absolute or begin with ~/: a"),
    ],
)
def test_what_means_nothing_is_told_by_line_and_key(text: str, said: str) -> None:
    with pytest.raises(PlanError) as refused:
        layer(text)
    assert said in refused.value.message


def test_what_makes_more_run_needs_a_yes_and_its_digest_is_of_just_that() -> None:
    plain = needs_yes(layer('verify = "make"\nmodel = "m"\n[limits]\nminutes = 5').values)
    assert dict(flat(plain)) == {"verify": "make", "limits.minutes": 5}
    other_order = needs_yes(layer('model = "n"\nlimits = { minutes = 5 }\nverify = "make"').values)
    assert digest_of(plain) == digest_of(other_order)
    assert digest_of(plain) != digest_of({**plain, "verify": "make all"})


def test_the_environment_says_what_options_do_not() -> None:
    environ = {"ABREAST_AGENT": "codex", "ABREAST_GATE": "off", "ABREAST_MAX_PARALLEL": "3"}
    options = from_environment(environ, Overrides(agent="claude"))
    assert (options.agent, options.gate, options.max_parallel) == ("claude", GateMode.OFF, 3)
    with pytest.raises(PlanError) as refused:
        from_environment({"ABREAST_MAX_PARALLEL": str(2**31)})
    assert [problem.where for problem in refused.value.problems] == ["ABREAST_MAX_PARALLEL"]
    with pytest.raises(PlanError) as refused:
        from_environment({"ABREAST_LAND": "up", "ABREAST_MAX_PARALLEL": "x"})
    assert [problem.where for problem in refused.value.problems] == [
        "ABREAST_LAND",
        "ABREAST_MAX_PARALLEL",
    ]
