"""SQLite on a network file system is refused: the system's own table of mounts tells."""

from pathlib import Path

import pytest

from abreast.errors import StoreError
from abreast.store import network
from abreast.store.engine import make_engine, transaction
from abreast.store.network import mount_table, type_at

LINUX = r"""21 28 0:20 / /proc rw,nosuid shared:12 - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 28 0:45 / /home rw,relatime shared:30 - nfs4 server:/export/home rw,vers=4.2
41 40 8:2 / /home/ada/local rw,relatime - xfs /dev/sdb1 rw
42 28 0:46 / /mnt/share\040one rw - cifs //server/share rw
43 28 0:47 / /mnt/c rw,noatime - 9p C:\134 rw
44 28 0:48 / /mnt/far rw - fuse.sshfs ada@far:/ rw
45 28 0:49 / /mnt/twice rw - nfs server:/x rw
46 45 8:3 / /mnt/twice rw - ext4 /dev/sdc1 rw
47 28 0:50 / /mnt/many rw shared:9 master:3 propagate_from:2 - btrfs /dev/sdd rw
"""
MAC = """/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//ada@server/share on /Volumes/share one (smbfs, nodev, nosuid, mounted by ada)
server:/export on /Volumes/export (nfs, nodev)
"""


@pytest.mark.parametrize(
    ("folder", "table", "kind"),
    [
        ("/var/lib", LINUX, "ext4"),
        ("/home/ada/.local/state", LINUX, "nfs4"),
        ("/home/ada/local/state", LINUX, "xfs"),
        ("/home/ada/localstate", LINUX, "nfs4"),
        ("/homes/ada", LINUX, "ext4"),
        ("/mnt/share one/x", LINUX, "cifs"),
        ("/mnt/c/Users", LINUX, "9p"),
        ("/mnt/far", LINUX, "fuse.sshfs"),
        ("/mnt/twice/x", LINUX, "ext4"),
        ("/mnt/many/x", LINUX, "btrfs"),
        ("/Users/ada", MAC, "apfs"),
        ("/Volumes/share one/x", MAC, "smbfs"),
        ("/Volumes/export/x", MAC, "nfs"),
        ("/anywhere", "", ""),
        ("/anywhere", "no table at all\n", ""),
    ],
)
def test_the_table_of_mounts_tells_the_file_system(folder: str, table: str, kind: str) -> None:
    assert type_at(folder, table) == kind
    assert (kind in network.NETWORK) == (
        kind in {"nfs", "nfs4", "cifs", "9p", "fuse.sshfs", "smbfs"}
    )


def test_this_machines_own_table_is_read(tmp_path: Path) -> None:
    assert type_at(str(tmp_path.resolve()), mount_table())


def test_a_database_there_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = str(tmp_path.resolve()).replace(" ", r"\040")
    table = f"{LINUX}99 28 0:99 / {point} rw - fuse.sshfs ada@far:/ rw\n"
    monkeypatch.setattr(network, "mount_table", lambda: table)
    engine = make_engine(f"sqlite:///{tmp_path / 'abreast.db'}")
    told = pytest.raises(StoreError, match=r"network file system \(fuse.sshfs\)")
    with told as found, transaction(engine):
        pass
    assert "ABREAST_STATE_DIR" in str(found.value.hint)
    assert not (tmp_path / "abreast.db").exists()
