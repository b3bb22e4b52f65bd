"""How a model's memory is split, and which of three cures would give it more requests at once.

The figures are bytes over all devices. A request of full length takes the whole context of the KV
cache, so the number of those that fit is the least that the server answers at once. The cures:

* quantization makes the decoder's weights smaller; what it frees, the KV cache gets. Encoders of
  media, embeddings and scales keep their size, so what is told is the most that it can free;
* `--max-model-len` frees nothing, but shorter requests take less;
* tensor parallelism spreads the weights over more devices, each with as much memory as now.

For models with sliding windows or state-space layers a token takes less than is told here, and
more requests fit. Tested by tests/unit/cli/test_memory_advice.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from service.cli.doctor_checks import Check

_SHARES_FREED = {8: 1 / 2, 4: 3 / 4}  # of weights in 16 bits, by the bits that are left
_HOWS = {
    8: "8 bits a weight (such as --quantization fp8, on GPUs)",
    4: "4 bits (a checkpoint in AWQ or GPTQ)",
}
_WIDTH_BITS = 16
_BLOCK_TOKENS = 16


@dataclass(frozen=True, slots=True)
class MemorySplit:
    """What takes a model's memory; a number that is not known is 0."""

    weights_bytes: int
    encoder_weights_bytes: int
    kv_cache_bytes: int
    kv_cache_bytes_per_token: int
    max_model_tokens: int
    tensor_parallel_size: int
    pipeline_parallel_size: int
    dtype: str
    quantization: str

    @property
    def devices(self) -> int:
        """Over how many devices the model is spread."""
        return self.tensor_parallel_size * self.pipeline_parallel_size

    @property
    def kv_cache_tokens(self) -> int:
        """How many tokens the KV cache holds."""
        return max(0, self.kv_cache_bytes) // self.kv_cache_bytes_per_token

    def full_requests(self, kv_cache_bytes: float | None = None) -> float:
        """Return how many requests of full length fit the KV cache, or one of that size."""
        size_bytes = self.kv_cache_bytes if kv_cache_bytes is None else kv_cache_bytes
        return max(0.0, size_bytes) / (self.kv_cache_bytes_per_token * self.max_model_tokens)


def memory_checks(split: MemorySplit, *, may_spread: bool = True) -> list[Check]:
    """Say how memory is split and what would help, the best first.

    `may_spread` is False where there are no more devices.
    """
    checks = [_weights(split), _kv_cache(split)]
    if not split.kv_cache_bytes_per_token:
        return checks
    advice = [_quantization(split)]
    if may_spread:
        advice.append(_tensor_parallelism(split))
    advice.sort(key=lambda one: -one[0])
    return [*checks, *(check for _, check in advice), _max_model_len(split)]


def _weights(split: MemorySplit) -> Check:
    if not split.weights_bytes:
        return _unknown("weights", "not known: the checkpoint's files are not safetensors")
    how = split.quantization or "not quantized"
    found = f"{in_words(split.weights_bytes)} in {split.dtype}, {how}"
    if split.encoder_weights_bytes:
        share = split.encoder_weights_bytes / split.weights_bytes
        size = in_words(split.encoder_weights_bytes)
        found += f"; {size} of them ({share:.0%}) read images, sounds and videos"
    if split.devices > 1:
        found += f"; over {split.devices} devices"
    return Check("weights", is_ok=True, found=found)


def _kv_cache(split: MemorySplit) -> Check:
    if not split.kv_cache_bytes_per_token:
        return _unknown("KV cache", "what a token takes of it is not known, or nothing")
    per_token = in_words(split.kv_cache_bytes_per_token)
    if split.kv_cache_bytes <= 0:
        missing = in_words(-split.kv_cache_bytes)
        found = f"no room for it, at {per_token} a token: the weights alone take {missing} too much"
    else:
        found = (
            f"{in_words(split.kv_cache_bytes)}, {split.kv_cache_tokens:,} tokens of {per_token}: "
            f"{_requests(split.full_requests())} of full length ({split.max_model_tokens:,} tokens)"
        )
    fits = split.full_requests() >= 1
    return Check("KV cache", is_ok=fits, found=found, cure="see below for what would help")


def _quantization(split: MemorySplit) -> tuple[float, Check]:
    decoder_bytes = split.weights_bytes - split.encoder_weights_bytes
    if split.quantization:
        return 0.0, _advice("quantization", f"is there already: {split.quantization}")
    if not decoder_bytes or split.dtype not in ("bfloat16", "float16"):
        return 0.0, _advice("quantization", f"nothing is known for weights in {split.dtype}")
    gains: list[str] = []
    requests = 0.0
    for bits, share in _SHARES_FREED.items():
        freed = decoder_bytes * share
        requests = split.full_requests(split.kv_cache_bytes + freed)
        verb = "up to" if gains else "would free up to"
        gains.append(f"{_HOWS[bits]} {verb} {in_words(freed)}: {_requests(requests)}")
    return requests, _advice("quantization", "; ".join(gains))


def _tensor_parallelism(split: MemorySplit) -> tuple[float, Check]:
    # Twice the memory, and the weights still once.
    kv_cache_bytes = split.weights_bytes + 2 * split.kv_cache_bytes
    requests = split.full_requests(kv_cache_bytes)
    flag = f"--tensor-parallel-size {2 * split.tensor_parallel_size}"
    more = _advice(
        "tensor parallelism",
        f"twice the devices ({flag}) would leave up to "
        f"{in_words(max(0, kv_cache_bytes))} for the KV cache: {_requests(requests)}",
    )
    return requests, more


def _max_model_len(split: MemorySplit) -> Check:
    tokens = split.kv_cache_tokens
    if tokens < split.max_model_tokens:
        fitting = tokens // _BLOCK_TOKENS * _BLOCK_TOKENS
        if not fitting:
            return _advice("max_model_len", "a shorter context does not help: nothing is left")
        return _advice("max_model_len", f"--max-model-len {fitting} is the longest that fits")
    half = split.max_model_tokens // 2
    return _advice(
        "max_model_len",
        f"--max-model-len {half} frees nothing, but {_requests(2 * split.full_requests())} "
        "of that length fit",
    )


def _requests(number: float) -> str:
    return f"{number:,.1f} requests"


def _advice(name: str, found: str) -> Check:
    return Check(name, is_ok=True, found=found, is_required=False, is_advice=True)


def _unknown(name: str, found: str) -> Check:
    return Check(name, is_ok=False, found=found, cure="no advice without it", is_required=False)


def in_words(size_bytes: float) -> str:
    """Return such as `1.5 GiB`."""
    size, units = float(size_bytes), ["B", "KiB", "MiB", "GiB", "TiB"]
    while size >= 1024 and len(units) > 1:  # noqa: PLR2004 - of each unit
        size /= 1024
        units.pop(0)
    return f"{size:.0f} B" if units[0] == "B" else f"{size:.1f} {units[0]}"
