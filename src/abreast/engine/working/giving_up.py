"""What is left to do when abreast itself fails in a workflow: the rows say so, and nobody waits.

Whatever failed may fail again, so these do little else than write rows. The trace of what failed is
in the worker's log (`mishap.log_trace`).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from abreast.engine.common.ending import Ending
from abreast.engine.working.landing.candidate import bounced
from abreast.engine.working.landing.steps import unless_landed
from abreast.engine.working.mishap import REPORT, log_trace
from abreast.engine.working.run_steps import after_landing
from abreast.engine.working.session.context import Engine, open_context
from abreast.engine.working.session.final import write_ending
from abreast.errors import StateError, StoreError
from abreast.model.session import LandState, Run, RunState, SessionState


def end_session(engine: Engine, session: str, attempt: int, why: str) -> Ending:
    """End a session as `unknown` whose workflow has failed; return the ending it has then."""
    ending = Ending(SessionState.UNKNOWN, why, f"its worktree was left alone; {REPORT}")
    return write_ending(engine, session, ending, attempt=attempt)


def end_run(engine: Engine, run: str, generation: int, why: str) -> None:
    """Close a run whose workflow has failed, unless a newer request for it is at work.

    Its sessions that have not begun are ended. Those at work come to their own end.
    """
    try:
        _end_unbegun(engine, run, generation, why)
        state = engine.store.move_run(run, generation, _judge)
    except StoreError:
        raise
    except Exception:  # noqa: BLE001 - a run that cannot be judged has failed
        log_trace(f"closing {run}")
        engine.store.set_run_state(run, state := RunState.FAILED, note=why)
    if state is not None:
        engine.store.add_event(run, "warning", why)


def _end_unbegun(engine: Engine, run: str, generation: int, why: str) -> None:
    found = engine.reader.run(run)
    if found is None or found.state is RunState.LANDING:
        return
    ending = Ending(SessionState.SKIPPED, why, f"abreast resume RUN; {REPORT}")
    for session in found.sessions:
        if session.state is SessionState.QUEUED:
            number = session.attempt
            write_ending(
                engine, session.id, ending, attempt=number, began=False, generation=generation
            )


def _judge(run: Run, stopping: bool) -> RunState | None:
    return after_landing(run, stopping) if run.state is RunState.LANDING else RunState.FAILED


def end_landings(engine: Engine, run: str, waiting: Sequence[str], why: str) -> None:
    """End the landings of those in `waiting` that still wait; of all of a run's, if that is empty.

    What the target has by now has landed, the others bounce.
    """
    for name in waiting or [session.id for session in engine.reader.sessions(run)]:
        session = engine.reader.session(name)
        if session is None or session.landing is not LandState.QUEUED:
            continue
        change = replace(bounced(why, REPORT), mending="")
        try:
            change = unless_landed(open_context(engine, name, session.attempt), change)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - that may be what has failed before
            log_trace(f"looking for {name} in its target")
        try:
            with suppress(StateError):  # another attempt at it has been asked for meanwhile
                engine.store.update_session(name, change, attempt=session.attempt)
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - the landings of others are to end, too
            log_trace(f"ending the landing of {name}")
