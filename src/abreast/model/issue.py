"""An issue of a forge's tracker, written by somebody whom abreast does not know."""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """What the author of an issue is to its repository, as the forge says."""

    OWNER = "owner"
    MEMBER = "member"
    COLLABORATOR = "collaborator"
    OTHER = "other"

    @property
    def known(self) -> bool:
        """Whether they belong to the repository, so that their issues need no further yes."""
        return self is not Standing.OTHER


@dataclass(frozen=True)
class Issue:
    """An issue: all that an agent gets to read of it, without characters that hide or repaint."""

    number: int
    title: str
    body: str
    author: str
    standing: Standing
    address: str
    open: bool = True


@dataclass(frozen=True)
class IssuePlan:
    """Issues, and the tasks that come of them, as `abreast run --dry-run` shows them."""

    issues: tuple[Issue, ...]
    tasks: tuple["IssueTask", ...]


@dataclass(frozen=True)
class IssueTask:
    """The task of one issue: its id, what it produces, and the prompt of its agent."""

    id: str
    produces: str
    prompt: str
    issue: int
