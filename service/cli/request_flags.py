"""The flags of `triptych serve` about how many requests are served, and how long they may take."""

from __future__ import annotations

import argparse

from service.cli.numbers import count_from, not_negative, positive
from service.config import RequestConfig

_DEFAULTS = RequestConfig()


def add_request_flags(serve: argparse.ArgumentParser) -> None:
    """Add them, in a group of their own."""
    group = serve.add_argument_group("requests")
    group.add_argument(
        "--max-running-requests",
        type=count_from(1),
        metavar="COUNT",
        help="requests that the engine is given at once; one for n outputs counts as n (default: "
        "a quarter more than it runs at once, vLLM's --max-num-seqs)",
    )
    group.add_argument(
        "--max-waiting-requests",
        type=count_from(0),
        default=_DEFAULTS.max_waiting_requests,
        metavar="COUNT",
        help="requests beyond those, waiting or with media that are prepared; more are refused "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--max-waiting-tokens",
        type=count_from(1),
        metavar="COUNT",
        help="tokens of all prompts that wait for the engine; more are refused (default: twice "
        "what its KV cache holds)",
    )
    group.add_argument(
        "--deadline-margin",
        type=not_negative,
        default=_DEFAULTS.deadline_margin_s,
        metavar="SECONDS",
        help="how long before a call's deadline its answer is ended, so that it still arrives; at "
        "most a quarter of the call's time. 0: let it fail (default: %(default)g)",
    )
    group.add_argument(
        "--reader-timeout",
        type=positive,
        default=_DEFAULTS.reader_timeout_s,
        metavar="SECONDS",
        help="how long a client may stop reading its answer before that is given up (default: "
        "%(default)g)",
    )


def to_request_config(arguments: argparse.Namespace) -> RequestConfig:
    """Return what the flags say."""
    return RequestConfig(
        max_running_requests=arguments.max_running_requests,
        max_waiting_requests=arguments.max_waiting_requests,
        max_waiting_tokens=arguments.max_waiting_tokens,
        deadline_margin_s=arguments.deadline_margin,
        reader_timeout_s=arguments.reader_timeout,
    )
