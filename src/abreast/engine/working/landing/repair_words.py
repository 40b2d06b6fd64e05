"""What a session is told when its work has bounced: both sides, and what verify said, as data."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from abreast.contract.render import fence
from abreast.engine.working.session.context import SessionContext
from abreast.git.call import UTF8
from abreast.git.changes import changed_files
from abreast.git.repository import Repository
from abreast.model.text import harmless, named

_SIDES = 8000  # characters of both sides' lines, in all
_OUTPUT = 4000  # characters of the end of verify's output
_FILES = 20  # whose lines are looked at
_COMMITS = 10  # of the target's, shown
_REGION = re.compile(r"^<{7} (?:(?!^<{7} ).)*?^>{7} [^\n]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class BouncedMerge:
    """What bounced on `tip`: the tree of the merge, and why.

    That is the paths in conflict, or what verify, or the `hook` of that name, `said`.
    """

    tip: str
    tree: str
    conflicts: tuple[str, ...] = ()
    said: str = ""
    hook: str = ""


def words(context: SessionContext, reason: str, found: BouncedMerge) -> str:
    """Return the message of a repair."""
    target = context.run.target
    parts = [
        f"Your work was finished, but it cannot go into {target} as it is: {harmless(reason)}",
        _MERGED.format(target=target),
        *(_conflict(context, found) if found.conflicts else _red(context, found)),
        _RULES.format(target=target),
    ]
    return "\n\n".join(part for part in parts if part)


_MERGED = """\
{target} has changed since you began. The files in your worktree are now those of {target} with \
your changes merged into them."""
_RULES = """\
Make the files right, so that they do what {target} does by now and what your task asks for. Keep \
what others have written in {target}, unless your task is to change it: whatever of it is gone \
afterwards is shown to a person. Do not commit or merge. Your task and its rules are the same as \
before."""


def _conflict(context: SessionContext, found: BouncedMerge) -> Iterator[str]:
    target, tip, own = context.run.target, found.tip[:12], context.session.commit[:12]
    yield (
        f"Git could not merge all of it. There are conflict markers in {named(found.conflicts)}: "
        f"from `<<<<<<<` to `=======` stands what {target} has, from there to `>>>>>>>` your own. "
        "Solve each of them by hand; do not just take one side. A file without markers was "
        f"deleted, renamed or is binary on a side: `git show {tip}:FILE` is {target}'s, "
        f"`git show {own}:FILE` yours."
    )
    shown = list(_regions(context.repository, found))
    if shown:
        yield fence(_cut("\n\n".join(shown), _SIDES), source="both sides", name="conflict")
    yield _history(context, found, found.conflicts)


def _regions(repo: Repository, found: BouncedMerge) -> Iterator[str]:
    for path in found.conflicts[:_FILES]:
        shown = repo.call("cat-file", "-p", f"{found.tree}:{path}", codes=(0, 128))
        text = "" if shown.code or "\0" in shown.stdout else shown.stdout
        for region in _REGION.finditer(text):
            line = text.count("\n", 0, region.start()) + 1
            yield f"{path}, line {line}:\n{harmless(region[0])}"


def _red(context: SessionContext, found: BouncedMerge) -> Iterator[str]:
    repo, base = context.repository, context.session.base_sha
    theirs = [one.path for one in changed_files(repo, base, found.tip)]
    own = {one.path for one in changed_files(repo, base, context.session.commit)}
    command = context.task.verify
    failed = (
        f"{context.run.target}'s hook `{found.hook}`" if found.hook else f"the check `{command}`"
    )
    yield f"Git merged it without a conflict, but then {failed} failed. Its output:"
    source = "the hook" if found.hook else "the check"
    yield fence(harmless(found.said).strip()[-_OUTPUT:], source=source, name="output")
    if theirs:
        yield f"Meanwhile {context.run.target} has changed {named(theirs)}."
    met = [path for path in theirs if path in own][:_FILES]
    for title, tip in ((context.run.target, found.tip), ("you", context.session.commit)):
        if text := _changed(repo, base, tip, met):
            yield f"What {title} changed in the files that both have changed:"
            yield fence(_cut(text, _SIDES // 2), source=title, name="diff")
    yield _history(context, found, ())


def _changed(repo: Repository, base: str, tip: str, paths: Sequence[str]) -> str:
    if not paths:
        return ""
    shape = ("diff-tree", "-r", "-p", "-U1", "--no-color", "--no-ext-diff", "--no-textconv")
    done = repo.call("--literal-pathspecs", *shape, base, tip, "--", *paths)
    return harmless(done.stdout).strip()


def _history(context: SessionContext, found: BouncedMerge, paths: Sequence[str]) -> str:
    """Return what the target's commits since the session's base say of themselves."""
    shape = ("log", f"--max-count={_COMMITS}", "--format=%h %s", found.tip)
    within = ("--", *paths) if paths else ()
    past = (f"^{context.session.base_sha}", f"^{context.session.commit}")
    listed = context.repository.call(
        "--literal-pathspecs", *shape, *past, *within, config=UTF8
    ).stdout
    if not listed.strip():
        return ""
    title = f"the commits of {context.run.target} since you began"
    return f"What was done there:\n{fence(harmless(listed).strip(), source=title, name='log')}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}\n[cut here: the files have all of it]"
