"""What a failure of Gemini CLI means, by its exit code and its words (0.61.0)."""

import json
import re

from abreast.model.cause import Cause
from abreast.model.events import Outcome
from abreast.model.text import one_line

LOGIN_HINT = (
    "set GEMINI_API_KEY (https://aistudio.google.com/apikey), or run `gemini` once to log in; "
    "personal Google logins are no longer served by Gemini CLI"
)

Judgement = tuple[Outcome, Cause, str, str | None]
"""How it ended, why, the reason to show, and a hint."""

_API_ERROR = re.compile(
    r"\[API Error: ((?:(?!\[API Error: ).)*?)\][^\S\n]*$", re.MULTILINE | re.DOTALL
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

# The CLI exits with an API status modulo 256.
_BAD_REQUEST_CODE = 400 % 256
_AUTH_CODES = {41, 401 % 256, 403 % 256}
_TRANSIENT_CODES = {429 % 256, *(status % 256 for status in (499, 500, 502, 503, 504))}
_TURN_LIMIT_CODE = 53
_NEVER_BEGAN = {
    42: ("the input or the session id was refused", None),
    44: ("its sandbox could not be started", None),
    52: ("its configuration was refused", "run `gemini` by hand to see what is wrong with it"),
    55: ("the worktree is not trusted", None),
}
# The CLI did not wait for its prompt (see `prompt.py`); nothing was asked yet.
_UNHEARD = "No input provided via stdin"
_BILLING = re.compile(r"(?i)\bbilling\b|credit balance|spending cap|INSUFFICIENT_\w{0,50}CREDITS")
_QUOTA = re.compile(r"(?i)daily quota|exhausted your (?:daily quota|capacity)|PerDay|limit: 0\b")
_AUTH = re.compile(
    r"(?i)api[ _]key not (?:valid|found)|API_KEY_INVALID|UNAUTHENTICATED|PERMISSION_DENIED"
    r"|invalid auth method|set an auth method|status: 40[13]\b"
)
_TRANSIENT = re.compile(
    r"(?i)RESOURCE_EXHAUSTED|rate limit|quota exceeded|overloaded|UNAVAILABLE|INTERNAL\b"
    r"|fetch failed|socket hang up|terminated|ECONN\w+|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN"
    r"|network|premature close|status: (?:429|5\d\d)\b"
)


def judge_end(code: int | None, stderr: str) -> Judgement:
    """Judge a process that ended without a result line."""
    said = _last_words(stderr)
    if _UNHEARD in said:
        return Outcome.FAILED, Cause.TRANSIENT, "it did not wait for its prompt", None
    if code in _NEVER_BEGAN:
        reason, hint = _NEVER_BEGAN[code]
        return Outcome.FAILED, Cause.OTHER, f"{reason}: {said}" if said else reason, hint
    if code is None or code <= 0:  # a signal that the CLI handles makes it exit with 0
        return Outcome.UNKNOWN, Cause.NONE, "it ended without a result", None
    return judge_failure(code, said or f"it exited with code {code} and no result")


def judge_failure(code: int | None, said: str) -> Judgement:
    """Judge a process that failed and said why."""
    reason = one_line(said)
    if code == _TURN_LIMIT_CODE:
        return Outcome.STOPPED, Cause.LIMIT, "its limit of turns is used up", None
    if _BILLING.search(said):
        return Outcome.FAILED, Cause.BILLING, reason, "see to the billing of its Google project"
    if _QUOTA.search(said):
        return Outcome.FAILED, Cause.SESSION_LIMIT, reason, None
    if code in _AUTH_CODES or _AUTH.search(said):
        return Outcome.FAILED, Cause.AUTH, reason, LOGIN_HINT
    words_tell = code != _BAD_REQUEST_CODE and _TRANSIENT.search(said)
    if code in _TRANSIENT_CODES or words_tell:
        return Outcome.FAILED, Cause.TRANSIENT, reason, None
    return Outcome.FAILED, Cause.OTHER, reason, None


def plain(message: str) -> str:
    """Take the CLI's frame, and the JSON of an answer that it shows as it came, off a message."""
    found = _API_ERROR.search(message)
    text = found[1] if found else message
    try:
        error = json.loads(text)["error"]
        return f"{error['code']} {error['status']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        return text


def _last_words(stderr: str) -> str:
    """Return the last line that is not part of a stack trace, without its colours."""
    lines = [line.strip() for line in _COLOUR.sub("", stderr).splitlines()]
    told = [line for line in lines if line and not line.startswith(("at ", "}", "{", "]"))]
    return told[-1] if told else ""
