"""Shared resources: what two sessions cannot both have at once, or both extend at its end.

None of this shows in a text conflict, so none of it was fitted on the history: each rule is held by
labelled cases (`tests/gate/cases.toml`), and may only raise a verdict.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from abreast.gate.planned import BaseTree, PlannedTask
from abreast.gate.texts import MOST, Texts
from abreast.gate.words import listed
from abreast.model.gate import EvidenceKind, GateEvidence, PairVerdict

LOCKS = frozenset(
    {
        "Cargo.lock", "Gemfile.lock", "Pipfile.lock", "bun.lock", "composer.lock", "go.sum",
        "mix.lock", "package-lock.json", "pnpm-lock.yaml", "poetry.lock", "uv.lock", "yarn.lock",
    }
)  # fmt: skip
"""Files that a package manager writes from a manifest, whole."""

VERSIONS = frozenset({"VERSION", "VERSION.txt", "_version.py", "__version__.py", "version.py"})
"""Files that hold the version of the whole."""

MIGRATIONS = frozenset({"migrations", "migrate", "versions", "changelogs"})
"""Folders of migrations; `versions` only below a folder whose name has `alembic` or `migration`."""

_PORT = re.compile(
    r"(?:\bports?\s+|\b(?:localhost|127\.0\.0\.1|0\.0\.0\.0):|--port[ =]|\s-p\s*)"
    r"(?P<port>\d{2,5})\b",
    re.IGNORECASE,
)
_STORE = re.compile(
    r"\bdocker\s+(?:run|create)\b[^\n]{0,400}?--name[ =](?P<container>[\w.-]+)"
    r"|\b(?:createdb|dropdb)\s+(?:-\S+\s+)*(?P<made>[\w-]+)"
    r"|\bdatabase\s+(?:named\s+|called\s+)?[`\"'](?P<named>[\w-]+)[`\"']"
    r"|\bcontainer\s+(?:named\s+|called\s+)?[`\"'](?P<contained>[\w.-]+)[`\"']"
    r"|\b(?:postgres(?:ql)?|mysql|mongodb|redis)://\S{0,200}?/(?P<url>[\w-]+)",
    re.IGNORECASE,
)
_DEPENDENCY = re.compile(
    r"\b(?:add|install|upgrade|update|bump|pin|replace|remove|drop)s?\b[^.\n]{0,40}"
    r"\b(?:dependenc(?:y|ies)|packages?\s+from|librar(?:y|ies)\s+to\s+the\s+requirements)\b"
    r"|\b(?:npm|yarn|pnpm|uv|poetry|cargo|bundle|composer)\s+add\b|\b(?:npm|pip)\s+install\s+(?!-)\w",
    re.IGNORECASE,
)
_MIGRATION = re.compile(
    r"\b(?:add|create|write|generate|new)s?\s+(?:(?:an?|the|new|\w+)\s+){0,3}?"
    r"migrations?\b(?!\s+(?:guide|path|docs?|documentation|notes?|page))"
    r"|\b(?:makemigrations|alembic\s+revision|knex\s+migrate:make|rails\s+g(?:enerate)?\s+migration)\b",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"\b(?:bump|raise|increase|set)s?\s+(?:the\s+)?(?:package\s+|project\s+)?version\b"
    r"|\b(?:cut|tag|make|prepare)s?\s+(?:a|the)\s+(?:new\s+)?release\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Claims:
    """What one task needs for itself, or extends at its end.

    `ports` and `stores` are named in its texts, `setup` in its setup command. `migrations` are the
    folders that it adds a migration to.
    """

    task: str
    resources: frozenset[str]
    ports: frozenset[str]
    stores: frozenset[str]
    setup: frozenset[str]
    migrations: frozenset[str]
    version: bool
    dependencies: bool


def claims_of(work: PlannedTask, texts: Texts, tree: BaseTree) -> Claims:
    """Return what a task needs for itself, by its declarations, its texts and its setup command."""
    text, setup = texts.whole, work.task.setup[:MOST]
    return Claims(
        work.id,
        frozenset(work.task.resources),
        ports=_found(_PORT, text),
        stores=_found(_STORE, text),
        setup=_found(_PORT, setup) | _found(_STORE, setup),
        migrations=_migrates(work, texts, tree),
        version=_writes(work, VERSIONS) or bool(_VERSION.search(text)),
        dependencies=_writes(work, LOCKS) or bool(_DEPENDENCY.search(text)),
    )


def shared_resources(one: Claims, other: Claims, tree: BaseTree) -> Iterator[GateEvidence]:
    """Yield what both tasks need for themselves, or both extend."""
    pair = f"`{one.task}` and `{other.task}`"
    if names := sorted(one.resources & other.resources):
        yield _evidence(f"{pair} both use {listed(names)}; abreast runs them one at a time")
    if ports := sorted(one.ports & other.ports):
        yield _evidence(f"the texts of {pair} both name port {listed(ports)}")
    if stores := sorted(one.stores & other.stores):
        yield _evidence(f"the texts of {pair} both name the database or container {listed(stores)}")
    if claimed := sorted(one.setup & other.setup):
        yield _evidence(f"the setup commands of several tasks take {listed(claimed)}")
    for folder in sorted(one.migrations & other.migrations):
        words = f"{pair} both add a migration to `{folder}`: the second is to build on the first"
        yield _evidence(words, (folder,), verdict=PairVerdict.COUPLED)
    if one.version and other.version:
        yield _evidence(f"{pair} both set the version", verdict=PairVerdict.COUPLED)
    if one.dependencies and other.dependencies:
        locks = tree.named(LOCKS)
        what = f"; both write {listed(list(locks))} anew" if locks else ""
        yield _evidence(f"{pair} both change the dependencies{what}", locks)


def _found(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(next(filter(None, one.groups())) for one in pattern.finditer(text))


def _holds_migrations(folder: str) -> bool:
    above, _, name = folder.lower().rpartition("/")
    if name not in MIGRATIONS:
        return False
    return name != "versions" or "alembic" in above or "migration" in above


def _migrates(work: PlannedTask, texts: Texts, tree: BaseTree) -> frozenset[str]:
    """Return the folders that a task will put a new migration into."""
    declared = work.declared
    into = {path.rpartition("/")[0] for path in declared.new} | {f for f in declared.folders if f}
    declared_in = frozenset(folder for folder in into if _holds_migrations(folder))
    if declared_in or not _MIGRATION.search(texts.whole):
        return declared_in
    found = frozenset(folder for folder in tree.folders if _holds_migrations(folder))
    return found if len(found) == 1 else frozenset()


def _writes(work: PlannedTask, names: frozenset[str]) -> bool:
    return any(path.rpartition("/")[2] in names for path in work.declared.named)


def _evidence(
    words: str, paths: tuple[str, ...] = (), *, verdict: PairVerdict = PairVerdict.MAYBE
) -> GateEvidence:
    return GateEvidence(EvidenceKind.RESOURCE, words, paths, demands=verdict)
