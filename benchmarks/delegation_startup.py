"""The first request of each CLI: as its user starts it, and as a lean child of abreast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abreast import api
from abreast.loopback.dialect import RecordedRequest
from abreast.model.moves import Say, Scenario
from benchmarks.delegation_desk import Desk, size
from benchmarks.delegation_research import answer_of, command
from benchmarks.report import Aim, Table

MODELS = {"claude": ("",), "codex": ("", "gpt-6.1-sol"), "gemini": ("",)}
"""The models to try; an empty one is what the CLI's user has."""

AIMS = {"claude": 3500, "codex": 5000, "gemini": 3500}  # tokens of a lean child's first request

_ASKED = "Which files in src tell their reader to find out why?"
_FOUND = {"bullets": ["src/part1.txt:1: so it says"], "nothing_found": None}
_HEAD = ("CLI and model", "default start, tokens", "lean child, tokens", "ratio")


@dataclass(frozen=True)
class StartUp:
    """Tokens of two first requests."""

    model: str
    default: int
    lean: int
    aside: tuple[int, int]  # what each asked besides, before its first turn or after


def start_up(desk: Desk, model: str) -> StartUp:
    """Start the CLI both ways; raises RuntimeError when one of them asks its model nothing."""
    name = desk.agent.name
    default, lean = (f"[{name} {model}, {way}]" for way in ("default", "lean"))
    desk.server.add(Scenario(default, (Say("All of them."),)))
    desk.server.add(Scenario(lean, answer_of(name, _FOUND)))
    argv, stdin = command(desk, f"{_ASKED} {default}", model=model)
    before = len(desk.server.requests)
    desk.run(argv, stdin)
    between = len(desk.server.requests)
    with desk.lived_in():
        found = api.delegate(
            f"{_ASKED} {lean}",
            returns="bullets",
            agent=name,
            model=model,
            repo=desk.repo,
            places=desk.places,
        )
    if not found.outcome.valid:
        raise RuntimeError(f"{found.id} ({name}): {found.outcome}: {found.reason}")
    first, child = desk.turns(default)[0], desk.turns(lean)[0]
    made = desk.server.requests
    aside = _aside(made[before:between]), _aside(made[between:])
    return StartUp(model_of(first), size(first), size(child), aside)


def _aside(made: Sequence[RecordedRequest]) -> int:
    return sum(size(request) for request in made if request.body and request.step is None)


def model_of(request: RecordedRequest) -> str:
    """Return the model that a request asks; Gemini's is part of the path."""
    return str(request.body.get("model") or request.path.rpartition("/")[2].partition(":")[0])


def start_up_table(desks: Mapping[str, Desk]) -> tuple[Table, list[Aim], list[str]]:
    """Measure all of them; return the table, the aims for lean children, and what to know."""
    rows: list[tuple[str, ...]] = []
    aims: list[Aim] = []
    notes: list[str] = []
    for name, desk in desks.items():
        title, most = desk.agent.title, AIMS[name]
        found = [start_up(desk, model) for model in MODELS[name]]
        rows += [_row(title, one) for one in found]
        worst = max(one.lean for one in found)
        text = f"{title}: a lean child starts with at most {most:,} tokens"
        aims.append(Aim(text, f"{worst:,}", worst <= most))
        for default, lean in (one.aside for one in found if any(one.aside)):
            notes.append(
                f"{title} asks a smaller model first which one to take: {default:,} tokens more at"
                f" a default start, {lean:,} for a lean child."
            )
    return Table(_HEAD, rows, "First request"), aims, notes


def _row(title: str, found: StartUp) -> tuple[str, ...]:
    ratio = f"{found.lean / found.default:.2f}"
    return f"{title}, {found.model}", f"{found.default:,}", f"{found.lean:,}", ratio
