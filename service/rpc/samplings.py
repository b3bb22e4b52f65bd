"""`SamplingParams` from the contract to the domain and back, with sampling.proto's ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from service.domain.sampling import Sampling
from triptych.v1 import sampling_pb2

if TYPE_CHECKING:
    from service.rpc.violations import Violations

MAX_OUTPUTS = 64
_SCALARS = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "seed",
    "max_tokens",
    "min_tokens",
    "ignore_eos",
)


def to_sampling(message: sampling_pb2.SamplingParams, violations: Violations) -> Sampling:
    """Convert and check; what is unset stays None, so that the model's default applies."""
    given: dict[str, Any] = {
        name: getattr(message, name)
        for name in _SCALARS
        if message.HasField(name)  # type: ignore[arg-type]
    }
    sampling = Sampling(
        **given,
        n=message.n if message.HasField("n") else 1,
        stop_token_ids=tuple(message.stop_token_ids),
        skip_special_tokens=(
            message.skip_special_tokens if message.HasField("skip_special_tokens") else True
        ),
    )
    _check(sampling, violations)
    return sampling


def _check(sampling: Sampling, violations: Violations) -> None:
    violations.check_range("sampling.temperature", sampling.temperature, 0)
    violations.check_above("sampling.top_p", sampling.top_p, 0, 1)
    violations.check_range("sampling.top_k", sampling.top_k, -1)
    violations.check_range("sampling.min_p", sampling.min_p, 0, 1)
    violations.check_range("sampling.presence_penalty", sampling.presence_penalty, -2, 2)
    violations.check_range("sampling.frequency_penalty", sampling.frequency_penalty, -2, 2)
    violations.check_above("sampling.repetition_penalty", sampling.repetition_penalty, 0)
    violations.check_range("sampling.n", sampling.n, 1, MAX_OUTPUTS)
    violations.check_range("sampling.max_tokens", sampling.max_tokens, 1)
    violations.check_range("sampling.min_tokens", sampling.min_tokens, 0)
    if (sampling.min_tokens or 0) > (sampling.max_tokens or float("inf")):
        violations.add(
            "sampling.min_tokens",
            f"must be at most max_tokens ({sampling.max_tokens}), got {sampling.min_tokens}",
        )


def from_sampling(sampling: Sampling) -> sampling_pb2.SamplingParams:
    """Convert what is set."""
    given = {name: getattr(sampling, name) for name in _SCALARS}
    return sampling_pb2.SamplingParams(
        **{name: value for name, value in given.items() if value is not None},
        stop_token_ids=sampling.stop_token_ids,
    )
