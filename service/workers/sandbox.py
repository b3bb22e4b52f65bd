"""What a worker may not do: outlive its parent, use the network, start programs, grow, or spin.

The network is closed by a seccomp filter (libseccomp, through pyseccomp): a worker cannot make a
socket of any kind, and only talks on the one that it was born with.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal

import pyseccomp

_PR_SET_PDEATHSIG = 1
_OPEN_FILES = 256
# What makes or uses sockets, starts programs, or reaches other processes. `tgkill` is left: abort()
# needs it. io_uring could do all of these unseen.
_DENIED_CALLS = (
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev"),
    *("kill", "tkill", "pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    *("io_uring_setup", "io_uring_enter", "io_uring_register"),
    *("bpf", "perf_event_open", "mount", "umount2", "unshare", "setns", "chroot", "keyctl"),
)


def enter(memory_bytes: int) -> None:
    """Shut this process in for good; it may take `memory_bytes` more than it has now.

    Raises OSError or RuntimeError where the kernel has no seccomp.
    """
    _die_with_parent()
    limit_bytes = _private_memory_bytes() + memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    _deny_calls()


def limit_cpu_time(seconds: float) -> None:
    """Let Linux end this process (SIGXCPU) when it has used so much more processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used_s = usage.ru_utime + usage.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # Whole seconds, rounded up twice: what is used, and what is allowed.
    resource.setrlimit(resource.RLIMIT_CPU, (int(used_s) + int(seconds) + 2, hard))


def _die_with_parent() -> None:
    parent = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL):
        raise OSError(ctypes.get_errno(), "prctl")
    if os.getppid() != parent:  # it died in between
        os._exit(1)


def _private_memory_bytes() -> int:
    """Return what RLIMIT_DATA counts: writable memory that is not shared."""
    with open("/proc/self/status") as status:  # noqa: PTH123 - a line of procfs
        kibibytes = next(line.split()[1] for line in status if line.startswith("VmData:"))
    return int(kibibytes) << 10


def _deny_calls() -> None:
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    for name in _DENIED_CALLS:
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
    rules.load()
