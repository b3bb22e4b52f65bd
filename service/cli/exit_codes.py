"""What the commands tell a shell: one number for each way to end."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of all commands; a command uses those that can happen to it."""

    OK = 0
    #: The server refused, a check failed, or a health is not SERVING.
    FAILED = 1
    #: The command line is wrong, or names a file that cannot be read.
    USAGE = 2
    #: `chat` or `render` found no server, so that scripts can start one.
    UNREACHABLE = 3
    #: Ended by Ctrl-C.
    INTERRUPTED = 130
    #: Nobody reads stdout any more, as in `triptych chat ... | head -1`.
    READER_GONE = 141
