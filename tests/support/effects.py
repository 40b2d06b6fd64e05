"""What the worker's code does outside the database, function by function, and what tries that.

A new function that does such a thing is found here (`test_effects.py`): give it a case.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from abreast.engine import working

_NAMES = """
    write_atomic write_json write_text write_bytes touch unlink rename rmdir rmtree symlink_to
    swap_ref delete_ref anchor seal snapshot restore_tree checkout_clean switch_detached advance
    ensure_worktree remove_worktree move_aside copy_included save_job save_result materialise
    push_branch create describe kill terminate
"""
_DOORS = frozenset(_NAMES.split())
"""Names of what is called to change something; a look would be one of these by mistake only."""

# Whoever looks again and again does what was left undone at the next look; the others do nothing
# outside the database but to start and end.
_ROOMS_LEFT_OUT = {"conflicts"}
_LEFT_OUT = {"overseer", "worker", "lease_thread", "durable", "admission"}

POINTS = "the worker dies at it in test_crash_points.py"
ANEW = "test_again.py: what an earlier attempt left is kept"
PROPOSED = "test_pull_request.py: it can be repeated"
REPAIR = "test_repair.py kills the worker there"
QUEUE = "test_queue_machine.py kills the worker there"
ALL_DIE = "all die in test_fault_matrix.py"

EFFECTS: Mapping[str, str] = {
    "agent.letters": "test_delegation.py and tests/cli: a letter is taken once",
    "agent.order_of": POINTS,
    "batch._advance": POINTS,
    "batch._hold": QUEUE,
    "batch._member": POINTS,
    "batch._ready": QUEUE,
    "confining._state": "the folder that logins share is made where it is missing, each time",
    "confining.drop_tmp": "steps that remove it are repeated, and it is removed whole",
    "deliver.mark_tree": "test_crash_points.py: a delegation",
    "fork_server.close": "test_fork_server.py",
    "hooks._hook_order": "test_hooks.py",
    "jobs._bury": ALL_DIE,
    "jobs._spawn": POINTS,
    "keeping.keep": ANEW,
    "keeping.keep_behind": "test_fault_matrix.py: a worktree goes",
    "keeping.make_room": ANEW,
    "keeping.note_baseline": POINTS,
    "keeping.note_trial": POINTS,
    "preparing.make_worktree": POINTS,
    "preparing.prepare": POINTS,
    "preparing.put_aside": ANEW,
    "preparing.start_commit": POINTS,
    "pull_request._describe": PROPOSED,
    "pull_request.propose": PROPOSED,
    "red_target.note_green": POINTS,
    "red_target.try_target": "test_batches.py",
    "repair._to_repair": REPAIR,
    "repairing.begin_repair": REPAIR,
    "result._commit": POINTS,
    "result._kept_candidate": POINTS,
    "result.after_setup": POINTS,
    "result.after_verify": POINTS,
    "result.check": POINTS,
    "trespass.anchor_of": "test_trespass.py: it can be repeated",
    "trespass.come_home": "test_trespass.py: it can be repeated",
    "trial.drop_note": POINTS,
    "trial.put_by": "test_land.py: a trial that was stopped",
    "trial.scratch": POINTS,
}


def effects_in_source() -> set[str]:
    """Return the functions of the worker's rooms that call one of the doors, as `module.name`."""
    top = Path(str(working.__file__)).parent
    found = set()
    for file in top.rglob("*.py"):
        if file.stem not in _LEFT_OUT and not _ROOMS_LEFT_OUT & set(file.parts):
            for function in _functions(ast.parse(file.read_text(encoding="utf-8"))):
                if any(_called(node) in _DOORS for node in ast.walk(function)):
                    found.add(f"{file.stem}.{function.name}")
    return found


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _called(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name
        case _:
            return ""
