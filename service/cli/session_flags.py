"""The flags of `triptych serve` that are about sessions (`Converse`)."""

from __future__ import annotations

import argparse

from service.cli.numbers import count_from, positive
from service.domain.limits import SessionLimits

_DEFAULTS = SessionLimits()


def add_session_flags(serve: argparse.ArgumentParser) -> None:
    """Add them, in a group of their own."""
    group = serve.add_argument_group("sessions")
    group.add_argument(
        "--max-sessions",
        type=count_from(1),
        default=_DEFAULTS.count,
        metavar="COUNT",
        help="sessions that may be open at once, of which a caller that is told apart may hold "
        "half; more are refused (default: %(default)s)",
    )
    group.add_argument(
        "--session-idle-timeout",
        type=positive,
        default=_DEFAULTS.idle_s,
        metavar="SECONDS",
        help="end a session when its client sends nothing and no answer runs for so long "
        "(default: %(default)g)",
    )
    group.add_argument(
        "--session-max-duration",
        type=positive,
        default=_DEFAULTS.total_s,
        metavar="SECONDS",
        help="end a session after so long; the answer that runs is finished (default: %(default)g)",
    )


def to_session_limits(arguments: argparse.Namespace, max_message_bytes: int) -> SessionLimits:
    """Return what the flags say; all texts of a session may be as large as one request."""
    return SessionLimits(
        count=arguments.max_sessions,
        idle_s=arguments.session_idle_timeout,
        total_s=arguments.session_max_duration,
        text_bytes=max_message_bytes,
    )
