"""`triptych health`: asks a server once whether it serves, for Docker's HEALTHCHECK and scripts.

Prints the status. Exit codes: 0 SERVING, 1 anything else (also no server: Docker knows only 0 and
1), 2 usage. Tested by tests/unit/cli/test_health.py.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from service.cli.exit_codes import ExitCode
from service.cli.numbers import positive

if TYPE_CHECKING:
    import argparse

# A probe talks to a server nearby, never through the proxy that the environment names.
_CHANNEL_OPTIONS = [("grpc.enable_http_proxy", 0)]


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `health` to the command line."""
    parser = subparsers.add_parser(
        "health",
        help="ask a server whether it serves",
        description="Ask a server once whether it serves; exit code 0 when it does.",
    )
    parser.add_argument("--target", default="localhost:50051", help="the server (%(default)s)")
    parser.add_argument(
        "--timeout",
        type=positive,
        default=3.0,
        metavar="SECONDS",
        help="how long to wait for its answer (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> ExitCode:
    """Ask, print the status, and return the exit code."""
    # Imported late: `triptych doctor` must run where gRPC is missing, to say so.
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(args.target, _CHANNEL_OPTIONS) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            response = stub.Check(health_pb2.HealthCheckRequest(), timeout=args.timeout)
        except grpc.RpcError as error:
            call: Any = error
            told = call.details() or call.code().name.lower()
            print(f"triptych health: no answer from {args.target}: {told}", file=sys.stderr)
            return ExitCode.FAILED
    print(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))
    is_serving = response.status == health_pb2.HealthCheckResponse.SERVING
    return ExitCode.OK if is_serving else ExitCode.FAILED
