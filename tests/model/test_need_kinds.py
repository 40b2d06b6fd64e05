"""What a session needs a person for is told by the cause of its end, not by the words for it."""

import pytest

from abreast.model.cause import Cause
from abreast.model.need import NeedKind
from abreast.model.needs import need_of
from abreast.model.session import LandMode, Run, RunState, Session, SessionState


def need_of_end(state: SessionState, cause: Cause, reason: str = "words", hint: str = ""):
    session = Session("r/a", "r", "a", "x", state, reason=reason, hint=hint, cause=cause)
    run = Run("r", "/p", "main", "", "main", RunState.FAILED, LandMode.NONE, 0.0)
    return need_of(session, run)


@pytest.mark.parametrize("cause", [Cause.AUTH, Cause.BILLING, Cause.SESSION_LIMIT])
@pytest.mark.parametrize("state", [SessionState.FAILED, SessionState.BLOCKED])
def test_what_is_settled_with_a_provider_is_a_quota(state: SessionState, cause: Cause) -> None:
    need = need_of_end(state, cause, hint="log in: x login; then: abreast resume r")
    assert need.kind is NeedKind.QUOTA
    assert need.asked == "words: log in: x login"
    assert [answer.command for answer in need.answers] == ["abreast resume r"]


@pytest.mark.parametrize("state", [SessionState.STOPPED, SessionState.BLOCKED])
def test_a_limit_is_a_limit_before_and_after_the_start(state: SessionState) -> None:
    assert need_of_end(state, Cause.LIMIT).kind is NeedKind.LIMIT


def test_who_was_stopped_by_its_user_needs_nothing() -> None:
    assert need_of_end(SessionState.STOPPED, Cause.USER) is None
    assert need_of_end(SessionState.STOPPED, Cause.LIMIT, "stopped by your limit") is not None


@pytest.mark.parametrize(
    ("state", "reason", "kind"),
    [
        (SessionState.STOPPED, "stopped by you", None),
        (SessionState.STOPPED, "stopped by the idle limit", NeedKind.LIMIT),
        (SessionState.BLOCKED, "not started: not logged in", NeedKind.QUOTA),
        (SessionState.BLOCKED, "denied: Bash", NeedKind.PERMISSION),
    ],
)
def test_what_older_versions_have_kept_no_cause_of_goes_by_its_words(
    state: SessionState, reason: str, kind: NeedKind | None
) -> None:
    need = need_of_end(state, Cause.NONE, reason)
    assert (need and need.kind) is kind
