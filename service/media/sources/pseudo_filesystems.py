"""File systems whose files are not files: the kernel's own tables, and devices.

A regular file below /proc can be another process's memory or environment; one below /sys can be a
switch. They are told by the device number of the file itself, whatever path led to it.
"""

from __future__ import annotations

import os
from pathlib import Path

# What Linux lists as "nodev" (/proc/filesystems) and is no place for media.
_PSEUDO = frozenset(
    {
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "mqueue",
        "nsfs",
        "proc",
        "pstore",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "sysfs",
        "tracefs",
    }
)
_MOUNTS = Path("/proc/self/mountinfo")


def is_pseudo(status: os.stat_result) -> bool:
    """Return whether a file lies in such a file system, of those that are mounted now.

    Lines are as in proc(5): `36 35 98:0 /root /mount options - type source super-options`, with
    optional fields before the dash.
    """
    device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    for line in _MOUNTS.read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        if before.split(" ")[2] == device and after.split(" ")[0] in _PSEUDO:
            return True
    return False
