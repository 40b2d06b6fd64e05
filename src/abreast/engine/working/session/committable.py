"""Whether what is in a worktree can be committed as it is, with nothing of it left out.

Done means that all of what verify sees is in the commit: no file that git cannot take, no merge
that stopped half-way, no conflict marker, no submodule whose work is nowhere else.
"""

from abreast.engine.common.ending import Ending
from abreast.engine.working.session.context import SessionContext
from abreast.git.markers import markers_in
from abreast.git.snapshot import Built
from abreast.git.status import operation, own_git_dir
from abreast.git.submodules import keep_submodules
from abreast.model.harmless import named, one_line
from abreast.model.states import SessionState


def unfit(context: SessionContext, built: Built) -> Ending | None:
    """Return the ending of a session whose worktree cannot be committed whole; None: it can."""
    tree, layout = context.tree, context.layout
    if own_git_dir(tree.path) != tree.admin:
        hint = (
            f"look at {tree.path / '.git'}; what is in the worktree is kept: {layout.ref('snap')}"
        )
        return Ending(SessionState.BLOCKED, "the .git of its worktree was replaced", hint)
    if built.skipped:
        path, why = built.skipped[0]
        hint = "let .gitignore name it, or the task not make it"
        return Ending(SessionState.FAILED, f"{one_line(path)} cannot be committed: {why}", hint)
    if built.unmerged:
        under_way = operation(tree) or "merge"
        reason = f"a {under_way} stopped half-way, with conflicts in {named(built.unmerged)}"
        return Ending(SessionState.FAILED, reason, _go_on(layout.id))
    if marked := markers_in(context.repository, tree, context.session.base_sha, built.tree):
        reason = f"conflict markers are left in {named(marked)}"
        return Ending(SessionState.FAILED, reason, _MEANT)
    return _submodules(context)


_MEANT = "if they are meant, .gitattributes can say so: `FILE conflict-marker-size=32`"


def _submodules(context: SessionContext) -> Ending | None:
    layout, base = context.layout, context.session.base_sha
    for one in keep_submodules(context.repository, context.tree, base, layout.ref("submodule")):
        if one.why:
            place = layout.worktree / one.path
            hint = f"commit and push it in {place}, then: abreast resume {layout.run}"
            return Ending(SessionState.FAILED, f"{one.path} is a submodule, and {one.why}", hint)
        text = f"{one.path} is at a new commit, {one.head[:12]}: push it from {one.kept}"
        context.add_event("warning", text)
    return None


def _go_on(session: str) -> str:
    return f"settle them: abreast attach {session}"
