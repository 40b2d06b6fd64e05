"""Forges: GitHub through `gh`, GitLab through `glab`, each with the user's own login."""

import json
import re
import shutil
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abreast.errors import CommandError
from abreast.git.call import environment
from abreast.git.repository import Repository
from abreast.model.pull_request import (
    CheckCounts,
    ForgeName,
    PullRequest,
    RequestOptions,
    RequestState,
)
from abreast.process.command import run

REMOTE = "origin"
"""The remote that pull requests are pushed to."""
_TIMEOUT = 120.0  # seconds for one call over the network
_LOOK = 20.0  # the same where somebody waits for a list
_MERGE_REQUEST = "/-/merge_requests/"
_HOST = re.compile(r"(?:\w+://)?(?:[^@/]*@)?([\w.-]+?)(?::\d+)?[:/]")
VARIABLES = ("GH_", "GITHUB_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITLAB_", "GLAB_", "OAUTH_TOKEN")
"""How the names begin of the variables that the two programs look for."""


@dataclass(frozen=True)
class Forge(ABC):
    """A place for pull requests, asked through its command-line program in a checkout.

    Every call raises CommandError with what the program said, and CommandError when the answer
    cannot be read.
    """

    place: Path
    environ: Mapping[str, str]
    timeout: float = _TIMEOUT
    command = ""
    login = ""

    @abstractmethod
    def find(self, branch: str, target: str) -> list[PullRequest]:
        """Return the requests of this repository's `branch` onto `target`, closed ones too."""

    @abstractmethod
    def create(
        self, branch: str, target: str, title: str, body: str, options: RequestOptions
    ) -> str:
        """Open a request; return its address."""

    @abstractmethod
    def describe(self, address: str, body: str) -> None:
        """Replace the text of a request."""

    @abstractmethod
    def look(self, address: str) -> PullRequest:
        """Return how a request stands."""

    def _run(self, *args: str, stdin: str = "") -> str:
        argv = [self.command, *args]
        try:
            env = {**self.environ, "GH_PROMPT_DISABLED": "1", "NO_PROMPT": "1"}
            return run(argv, cwd=self.place, env=env, stdin=stdin, timeout=self.timeout).stdout
        except CommandError as error:
            error.hint = error.hint or f"`{self.login}` says whether {self.command} is logged in"
            raise

    def ask(self, *args: str) -> Any:
        """Return what the program prints as JSON when it is called so."""
        said = self._run(*args)
        try:
            return json.loads(said or "[]")
        except ValueError as error:
            argv = [self.command, *args]
            text = f"its answer is not JSON: {said[:200]}"
            raise CommandError(argv, 0, said, text, cwd=str(self.place)) from error

    def _read(self, found: Any) -> PullRequest:
        try:
            return self._request(found)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            argv, text = [self.command], f"its answer cannot be read: {json.dumps(found)[:200]}"
            raise CommandError(argv, 0, stderr=text, cwd=str(self.place)) from error

    @abstractmethod
    def _request(self, found: Any) -> PullRequest:
        """Return a request from the program's JSON; raises KeyError, TypeError and the like."""

    @staticmethod
    def _address(said: str) -> str:
        """Return the address in what a program printed; progress may stand around it."""
        found = re.findall(r"https?://\S+", said)
        return str(found[-1]) if found else said.strip()


class GitHub(Forge):
    """GitHub, also one's own (GitHub Enterprise)."""

    command = "gh"
    login = "gh auth status"
    _FIELDS = "url,state,isDraft,headRefOid,baseRefName,isCrossRepository,body"
    _STANDING = f"{_FIELDS},statusCheckRollup,reviewDecision"

    def find(self, branch: str, target: str) -> list[PullRequest]:
        """See Forge."""
        where = ("--head", branch, "--base", target, "--state", "all")
        found = self.ask("pr", "list", *where, "--json", self._FIELDS)
        # A branch of the same name in somebody's fork is not ours.
        return [self._read(one) for one in found if not one.get("isCrossRepository")]

    def create(
        self, branch: str, target: str, title: str, body: str, options: RequestOptions
    ) -> str:
        """See Forge."""
        args = ["--head", branch, "--base", target, "--title", title, "--body-file", "-"]
        args += ["--draft"] if options.draft else []
        args += [part for label in options.labels for part in ("--label", label)]
        return self._address(self._run("pr", "create", *args, stdin=body))

    def describe(self, address: str, body: str) -> None:
        """See Forge."""
        self._run("pr", "edit", address, "--body-file", "-", stdin=body)

    def look(self, address: str) -> PullRequest:
        """See Forge."""
        return self._read(self.ask("pr", "view", address, "--json", self._STANDING))

    def _request(self, found: Any) -> PullRequest:
        state = RequestState(found["state"].lower())
        draft = state is RequestState.OPEN and found.get("isDraft")
        return PullRequest(
            found["url"],
            RequestState.DRAFT if draft else state,
            found["headRefOid"],
            found.get("baseRefName", ""),
            _github_checks(found.get("statusCheckRollup") or ()),
            (found.get("reviewDecision") or "").replace("_", " ").lower(),
            found.get("body") or "",
        )


def _github_checks(rollup: Iterable[Mapping[str, Any]]) -> CheckCounts:
    """Count check runs (`status`, `conclusion`) and commit statuses (`state`)."""
    words = (str(one.get("conclusion") or one.get("state") or "PENDING") for one in rollup)
    counts = Counter(map(_github_check, words))
    return CheckCounts(counts["passed"], counts["failed"], counts["pending"])


def _github_check(word: str) -> str:
    if word in {"SUCCESS", "NEUTRAL", "SKIPPED"}:
        return "passed"
    return "pending" if word in {"PENDING", "EXPECTED"} else "failed"


class GitLab(Forge):
    """GitLab, also one's own."""

    command = "glab"
    login = "glab auth status"

    def find(self, branch: str, target: str) -> list[PullRequest]:
        """See Forge."""
        where = ("--source-branch", branch, "--target-branch", target, "--all")
        found = self.ask("mr", "list", *where, "-F", "json")
        ours = (one for one in found if one.get("source_project_id") == one.get("project_id"))
        return [self._read(one) for one in ours]

    def create(
        self, branch: str, target: str, title: str, body: str, options: RequestOptions
    ) -> str:
        """See Forge."""
        args = ["--source-branch", branch, "--target-branch", target, "--title", title]
        args += ["--description", body, "--yes", *(["--draft"] if options.draft else [])]
        args += [part for label in options.labels for part in ("--label", label)]
        return self._address(self._run("mr", "create", *args))

    def describe(self, address: str, body: str) -> None:
        """See Forge."""
        self._run("mr", "update", *self._named(address), "--description", body, "--yes")

    def look(self, address: str) -> PullRequest:
        """See Forge."""
        return self._read(self.ask("mr", "view", *self._named(address), "-F", "json"))

    def _named(self, address: str) -> tuple[str, ...]:
        """Return a request as `glab` wants it named: its number and its project."""
        project, found, number = address.partition(_MERGE_REQUEST)
        return (number.strip("/"), "-R", project) if found else (address,)

    def _request(self, found: Any) -> PullRequest:
        state = found["state"]
        draft = state == "opened" and (found.get("draft") or found.get("work_in_progress"))
        known = {"opened": RequestState.OPEN, "locked": RequestState.OPEN}
        merge = found.get("detailed_merge_status") or ""
        return PullRequest(
            found["web_url"],
            RequestState.DRAFT if draft else known.get(state) or RequestState(state),
            found["sha"],
            found.get("target_branch", ""),
            _gitlab_checks(found.get("head_pipeline") or found.get("pipeline") or {}),
            _GITLAB_REVIEWS.get(merge, ""),
            found.get("description") or "",
        )


_GITLAB_REVIEWS = {
    "not_approved": "review required",
    "requested_changes": "changes requested",
    "mergeable": "",
}


def _gitlab_checks(pipeline: Mapping[str, Any]) -> CheckCounts:
    word = str(pipeline.get("status") or "")
    if word in {"success", "skipped"}:
        return CheckCounts(passed=1)
    if word in {"failed", "canceled"}:
        return CheckCounts(failed=1)
    return CheckCounts(pending=1) if word else CheckCounts()


def forge_of(
    repository: Repository, environ: Mapping[str, str], chosen: ForgeName = ForgeName.AUTO
) -> Forge:
    """Return the forge of the remote that requests go to, unless one is chosen.

    It is GitLab where the remote's host says so (its name, or GITLAB_HOST), or where only `glab` is
    installed; else GitHub.
    """
    kind = GitLab if chosen is ForgeName.GITLAB else GitHub
    if chosen is ForgeName.AUTO and _looks_like_gitlab(repository, environ):
        kind = GitLab
    return kind(repository.place, environ)


def _looks_like_gitlab(repository: Repository, environ: Mapping[str, str]) -> bool:
    done = repository.call("remote", "get-url", REMOTE, codes=(0, 2, 128), as_user=True)
    found = _HOST.match(done.stdout.strip())
    host = found[1] if found else ""
    if "gitlab" in host or (host and host == environ.get("GITLAB_HOST", "").rpartition("//")[2]):
        return True
    path = environ.get("PATH")
    only = shutil.which("gh", path=path) is None and shutil.which("glab", path=path) is not None
    return only and "github" not in host


def look(place: Path, address: str) -> PullRequest:
    """Return how the request at `address` stands; raises CommandError."""
    kind = GitLab if _MERGE_REQUEST in address else GitHub
    return kind(place, environment(), _LOOK).look(address)


def merged_at(place: Path, address: str, commits: Iterable[str | None]) -> bool:
    """Return whether the request at `address` was merged with one of `commits` as its head.

    What the forge cannot tell (no network, no login, no such request) was not merged.
    """
    try:
        found = look(place, address)
    except CommandError:
        return False
    return found.state is RequestState.MERGED and found.head in set(commits)
