"""How long to wait for a server, and what its health answers mean; both clients use it."""

from __future__ import annotations

import time

import grpc
from grpc_health.v1 import health_pb2

from triptych_client._errors import DeadlineExceededError, TriptychError, error_from_rpc

# Only between attempts that a proxy refuses at once; a server that is away is waited for by gRPC.
PAUSE_S = 0.2


class ReadinessWait:
    """One wait for one server: knows the time that is left and the last that was heard."""

    def __init__(self, target: str, timeout_s: float) -> None:
        """Start the clock."""
        self._target = target
        self._timeout_s = timeout_s
        self._deadline = time.monotonic() + timeout_s
        self._heard = "it cannot be reached"

    def remaining_s(self) -> float:
        """Return the seconds that are left; raise when there are none."""
        remaining_s = self._deadline - time.monotonic()
        if remaining_s <= 0:
            raise self._too_late()
        return remaining_s

    def is_ready(self, response: health_pb2.HealthCheckResponse) -> bool:
        """Take in one answer of the health service."""
        status = health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)
        self._heard = f"its health is {status}"
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)

    def after_failure(self, error: grpc.RpcError) -> TriptychError | None:
        """Return what to raise; None when another attempt may help."""
        failure = error_from_rpc(error)
        if failure.code is grpc.StatusCode.UNAVAILABLE:
            self._heard = f"it cannot be reached: {failure.message}"
            return None
        if failure.code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self._too_late()
        return failure

    def _too_late(self) -> DeadlineExceededError:
        message = (
            f"the server at {self._target} was not ready within {self._timeout_s:g} s; "
            f"{self._heard}"
        )
        return DeadlineExceededError(message, grpc.StatusCode.DEADLINE_EXCEEDED)
