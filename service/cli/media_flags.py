"""The flags of `triptych serve` that are about media; docs/media.md explains each."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from service.cli.numbers import count_from, positive
from service.config import MediaConfig, default_media_workers
from service.domain.limits import MediaLimits

_DEFAULTS = MediaConfig(workers=default_media_workers())
_LIMITS: dict[str, float] = asdict(MediaLimits())


def add_media_flags(serve: argparse.ArgumentParser) -> None:
    """Add them, in a group of their own."""
    group = serve.add_argument_group("media")
    _add_sources(group)
    _add_store(group)
    _add_bounds(group)
    _add_workers(group)


def to_media_config(arguments: argparse.Namespace) -> MediaConfig:
    """Return what the flags say."""
    return MediaConfig(
        workers=arguments.media_workers,
        worker_memory_bytes=arguments.media_worker_memory_mib << 20,
        worker_cpu_s=arguments.media_worker_cpu_seconds,
        worker_wall_s=arguments.media_worker_seconds,
        cache_bytes=arguments.media_cache_mib << 20,
        in_flight_bytes=arguments.media_in_flight_mib << 20,
        allowed_hosts=tuple(arguments.allowed_media_hosts),
        allowed_roots=tuple(arguments.allowed_media_roots),
        fetch_first_byte_s=arguments.media_fetch_first_byte_timeout,
        fetch_total_s=arguments.media_fetch_timeout,
        store=arguments.media_store,
        store_bytes=arguments.media_store_mib << 20,
        store_max_age_s=arguments.media_store_max_age * 3600,
        caller_header=arguments.caller_header,
        limits=MediaLimits(**dict(arguments.media_limit)),
    )


def _add_sources(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--allowed-media-hosts",
        nargs="+",
        default=[],
        metavar="HOST",
        help="hosts that media URLs may name: a name or address, with :PORT where it is neither 80 "
        "nor 443; *.example.com for those below it; * for every public host. Private addresses "
        "need the exact name (default: none)",
    )
    group.add_argument(
        "--allowed-media-roots",
        nargs="+",
        default=[],
        type=Path,
        metavar="DIRECTORY",
        help="directories below which media paths may lie (default: none)",
    )
    _add_seconds(
        group,
        "--media-fetch-first-byte-timeout",
        _DEFAULTS.fetch_first_byte_s,
        "how long a URL's host may take until it begins to answer",
    )
    _add_seconds(
        group,
        "--media-fetch-timeout",
        _DEFAULTS.fetch_total_s,
        "how long fetching a URL may take in all, redirects included",
    )


def _add_store(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--media-store",
        type=Path,
        metavar="DIRECTORY",
        help="keep uploaded media in this directory, for media_id (default: no uploads)",
    )
    _add_mib(group, "--media-store-mib", _DEFAULTS.store_bytes, "what the store may hold in all")
    group.add_argument(
        "--media-store-max-age",
        type=positive,
        default=_DEFAULTS.store_max_age_s / 3600,
        metavar="HOURS",
        help="how long an upload is kept after it was last asked for (default: %(default)g)",
    )
    group.add_argument(
        "--caller-header",
        metavar="NAME",
        help="a metadata key that your mesh sets, never a client: its value names the caller, who "
        "owns what it uploads, and takes turns with others when the server is full. A client "
        "certificate's name comes first (default: none)",
    )


def _add_bounds(group: argparse._ArgumentGroup) -> None:
    listed = ", ".join(f"{name}={value}" for name, value in _LIMITS.items())
    group.add_argument(
        "--media-limit",
        action="append",
        type=_to_limit,
        default=[],
        metavar="NAME=VALUE",
        help=f"set a bound of one medium or one request; may be repeated (defaults: {listed})",
    )
    _add_mib(
        group,
        "--media-in-flight-mib",
        _DEFAULTS.in_flight_bytes,
        "encoded media that all running requests may hold together",
    )
    _add_mib(
        group,
        "--media-cache-mib",
        _DEFAULTS.cache_bytes,
        "prepared media that are kept for requests with the same media; 0 keeps none",
    )


def _add_workers(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--media-workers",
        type=count_from(1),
        default=_DEFAULTS.workers,
        metavar="COUNT",
        help="processes that decode and preprocess media (default here: %(default)s)",
    )
    _add_mib(
        group,
        "--media-worker-memory-mib",
        _DEFAULTS.worker_memory_bytes,
        "what a worker may use for one medium",
    )
    _add_seconds(
        group,
        "--media-worker-cpu-seconds",
        _DEFAULTS.worker_cpu_s,
        "processor time that a worker may use for one medium",
    )
    _add_seconds(
        group,
        "--media-worker-seconds",
        _DEFAULTS.worker_wall_s,
        "how long a worker may take for one medium",
    )


def _add_mib(group: argparse._ArgumentGroup, flag: str, default: int, what: str) -> None:
    group.add_argument(
        flag,
        type=count_from(0),
        default=default >> 20,
        metavar="MIB",
        help=f"{what} (default: %(default)s)",
    )


def _add_seconds(group: argparse._ArgumentGroup, flag: str, default: float, what: str) -> None:
    group.add_argument(
        flag,
        type=positive,
        default=default,
        metavar="SECONDS",
        help=f"{what} (default: %(default)g)",
    )


def _to_limit(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    if name not in _LIMITS:
        raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(_LIMITS)}")
    try:
        number = type(_LIMITS[name])(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name} needs a number, got {value!r}") from None
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{name} must be above 0, got {value}")
    return name, number
