"""The cause of a failure by Codex's message: its exit code does not say."""

import json
import re

from abreast.model.cause import Cause

_CAUSES = (
    (Cause.SESSION_LIMIT, re.compile(r"usage limit|usage_limit_reached", re.IGNORECASE)),
    (
        Cause.BILLING,
        re.compile(r"quota exceeded|insufficient_quota|billing|out of credits", re.IGNORECASE),
    ),
    (
        Cause.AUTH,
        re.compile(
            r"\b401\b|\b403 forbidden|not logged in|log ?in again|sign in again|codex login|"
            r"missing environment variable|invalid.api.key|(?:refresh|access) token",
            re.IGNORECASE,
        ),
    ),
    (Cause.OTHER, re.compile(r"context window|max_output_tokens", re.IGNORECASE)),
    (
        Cause.TRANSIENT,
        re.compile(
            r"\b429\b|\b5\d\d [A-Z]|rate limit|high demand|at capacity|overloaded|timed? ?out|"
            r"stream disconnected|connection|sending request|waiting for network|"
            r"database is locked",
            re.IGNORECASE,
        ),
    ),
)
_RESET = re.compile(r"try again (?:at|in) (.+?)\.?$")
_VARIABLE = re.compile(r"Missing environment variable: `(\w+)`")
_HINTS = {
    Cause.SESSION_LIMIT: "wait until the limit resets",
    Cause.AUTH: "log in: codex login",
    Cause.BILLING: "check the plan and billing of your OpenAI account",
}
_TELLING = {
    "context window": "split the task: it does not fit the model's context window",
    "unknown configuration field": "remove that field from config.toml, or update Codex",
}
_NOISE = ("warning:", "WARNING:", "Reading additional input from stdin")


def classify(message: str) -> tuple[Cause, str | None]:
    """Return the cause that a message of Codex's stands for, and what to do about it."""
    cause = next((cause for cause, words in _CAUSES if words.search(message)), Cause.OTHER)
    return cause, _hint(cause, message)


def _hint(cause: Cause, message: str) -> str | None:
    if cause is Cause.SESSION_LIMIT and (reset := _RESET.search(message)):
        return f"the limit resets at {reset[1]}"
    if cause is Cause.AUTH and (missing := _VARIABLE.search(message)):
        return f"export {missing[1]}=…, and name it in the plan's pass_env"
    told = next((hint for words, hint in _TELLING.items() if words in message), None)
    return told or _HINTS.get(cause)


def plain(message: str) -> str:
    """Return a message without the JSON that Codex passes on when a request was refused."""
    try:
        told = json.loads(message)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return message
    return str(told)


def last_words(stderr: str) -> str:
    """Return what standard error has to say about an end without a result: one line."""
    lines = [line.strip() for line in stderr.splitlines()]
    told = [line for line in lines if line and not line.startswith(_NOISE)]
    for index, line in enumerate(told):
        if line.startswith("Error"):  # the rest may be a picture of the line at fault
            return " ".join(told[index : index + 2]) if line.endswith(":") else line
    return told[-1] if told else ""
