"""Pull requests (GitLab: merge requests): how one is to be opened, and how it stands."""

from dataclasses import dataclass
from enum import StrEnum


class ForgeName(StrEnum):
    """Where pull requests are opened; `AUTO` goes by the remote's address."""

    AUTO = "auto"
    GITHUB = "github"
    GITLAB = "gitlab"


@dataclass(frozen=True)
class RequestOptions:
    """How a plan's pull requests are opened."""

    forge: ForgeName = ForgeName.AUTO
    draft: bool = False
    labels: tuple[str, ...] = ()


class RequestState(StrEnum):
    """Where a pull request stands at its forge."""

    OPEN = "open"
    DRAFT = "draft"
    MERGED = "merged"
    CLOSED = "closed"


@dataclass(frozen=True)
class CheckCounts:
    """How many of a request's checks have ended in which way; GitLab's pipeline counts as one."""

    passed: int = 0
    failed: int = 0
    pending: int = 0


@dataclass(frozen=True)
class PullRequest:
    """A pull request as its forge tells of it.

    `head` is the commit it would merge or has merged. `review` is `approved`, `changes requested`,
    `review required`, or "" where the forge says nothing.
    """

    address: str
    state: RequestState
    head: str
    target: str = ""
    checks: CheckCounts = CheckCounts()
    review: str = ""
    body: str = ""

    @property
    def open(self) -> bool:
        return self.state in {RequestState.OPEN, RequestState.DRAFT}


@dataclass(frozen=True)
class SessionRequest:
    """A session's pull request. `request` is None where the forge could not be asked: `reason`."""

    session: str
    address: str
    request: PullRequest | None = None
    reason: str = ""
