"""What a process of a session may touch, as a value: its runner starts it within these bounds.

Alone in a module because every supervisor starts by importing it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Confinement:
    """The bounds of one process and of all that it starts. Paths are absolute and resolved.

    `program` is the bubblewrap that keeps them; "" where nothing does, and `unconfined` says why.

    All files of the machine can be read, but for what is `absent`: folders are empty, files have
    nothing in them. Of paths within each other the deeper one counts. What is `readable`
    can be read also below an absent one; what is `writable` can be written. `mounted` has paths
    whose content is another folder's, and can be written: the private /tmp, the objects of the
    session's commits; `shown` has such that can be read. `sealed` can be neither replaced nor
    written, though it lies in a folder that can.

    `environment` is set over what the process is given, and `unset` is taken from it. Without
    `network` it has a loopback interface of its own and nothing else, but for `hosts`
    (`host:port`), which a relay outside reaches for it. `socket` is a Unix socket that it can
    reach, under the same path, at which its runner serves it; "" for none.

    `unconfined` says in words what is not kept in bounds, and why; empty: all of the above holds.
    """

    program: str = ""
    writable: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    mounted: Mapping[str, str] = field(default_factory=dict)  # path inside -> folder outside
    shown: Mapping[str, str] = field(default_factory=dict)  # the same
    environment: Mapping[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    network: bool = True
    hosts: tuple[str, ...] = ()
    socket: str = ""
    unconfined: tuple[str, ...] = ()
