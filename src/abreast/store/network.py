"""Whether a file lies on a network file system: SQLite loses data there.

Its locks and the memory that its readers and writers share do not reach other machines, and servers
may answer that they do (https://sqlite.org/useovernet.html, https://sqlite.org/wal.html).
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from abreast.errors import StoreError

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "afpfs", "ncpfs", "ceph", "glusterfs"}
    | {"lustre", "webdav", "davfs", "ocfs2", "gfs2", "beegfs", "gpfs", "orangefs"}
    | {f"fuse.{name}" for name in ("sshfs", "rclone", "s3fs", "davfs2", "gcsfuse", "glusterfs")}
    | {f"fuse.{name}" for name in ("ceph-fuse", "juicefs", "cifs", "nfs", "smbnetfs", "osxfuse")}
)
"""Types of file systems as mount tables name them; 9p is how Windows' drives are seen in WSL."""
_OCTAL = re.compile(r"\\([0-7]{3})")
_MAC = re.compile(r".+? on (/.*) \(([^,)]+)")


def require_local(file: Path) -> None:
    """Raise StoreError for a database file on a network file system."""
    kind = type_at(os.path.realpath(file.parent), mount_table())
    if kind in NETWORK:
        raise StoreError(
            f"the database {file} is on a network file system ({kind}), where SQLite loses data",
            hint="let ABREAST_STATE_DIR name a folder on a disk of this machine, or let ABREAST_DB "
            "name a PostgreSQL database",
        )


def mount_table() -> str:
    """Return what is mounted, as the system tells it; "" where it does not."""
    if sys.platform == "darwin":
        done = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False)
        return done.stdout
    try:
        return Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def type_at(folder: str, table: str) -> str:
    """Return the type of the file system that a folder lies on, by a mount table; "" if unknown."""
    found, kind = "", ""
    for point, type_ in _mounts(table):
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(found):  # of two at one place the later one is seen
            found, kind = point, type_
    return kind


def _mounts(table: str) -> Iterator[tuple[str, str]]:
    """Yield each place where something is mounted, with its type, in their order."""
    for line in table.splitlines():
        words, _, rest = line.partition(" - ")
        parts = words.split(" ")
        if rest and len(parts) > 4 and parts[4].startswith("/"):
            yield _OCTAL.sub(lambda one: chr(int(one[1], 8)), parts[4]), rest.split(" ")[0]
        elif found := _MAC.match(line):
            yield found[1], found[2]
