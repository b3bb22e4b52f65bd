"""Tries a structured output on vLLM's own backend, in a worker process.

First vLLM's validation, as its front end has it; then the compilation, as its engine process has
it; then a walk of some tokens, for what is compiled lazily shows its cost only there.
"""

from __future__ import annotations

import time
from typing import Any, Self

import torch
from vllm.config import VllmConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import SamplingParams
from vllm.tokenizers import cached_tokenizer_from_config
from vllm.v1.structured_output.backend_guidance import GuidanceBackend
from vllm.v1.structured_output.backend_types import (
    StructuredOutputBackend,
    StructuredOutputGrammar,
)
from vllm.v1.structured_output.backend_xgrammar import XgrammarBackend
from vllm.v1.structured_output.request import get_structured_output_key

from service.domain.sampling import StructuredOutput
from service.engine.sampling_params import to_structured_outputs
from service.errors import InvalidRequestError

_BACKENDS: dict[str, type[StructuredOutputBackend]] = {
    "xgrammar": XgrammarBackend,
    "guidance": GuidanceBackend,
}
# Of processor time. A step of the engine takes tens of milliseconds for all requests together.
_MOST_COMPILE_S = 5.0
_MOST_STEP_S = 0.05
_MOST_WALK_S = 2.0
_WALK_TOKENS = 256
_BITS = 32  # of a word of a mask


class StructureCheck:
    """Tries structured outputs for the model of `config`."""

    @classmethod
    def load(cls, args: AsyncEngineArgs) -> Self:
        """Load the tokenizer of the model that `args` name."""
        return cls(args.create_engine_config())

    def __init__(self, config: VllmConfig) -> None:
        self._config = config
        self._tokenizer = cached_tokenizer_from_config(config.model_config)
        # Made at the first use: a process that others are forked from must have no threads.
        self._backends: dict[str, StructuredOutputBackend] = {}

    def check(self, wanted: StructuredOutput) -> None:
        """Raise InvalidRequestError for one that is broken or costs too much."""
        field = f"structured_output.{wanted.kind}"
        try:
            grammar = self._compile(wanted, field)
        except (VLLMValidationError, ValueError, RuntimeError, TypeError) as exc:
            raise InvalidRequestError(field, f"cannot be used: {exc}") from exc
        if grammar is not None:
            _walk(grammar, self._mask(), field)

    def _compile(self, wanted: StructuredOutput, field: str) -> StructuredOutputGrammar | None:
        """Return the compiled form; None where the backend has none that could be tried here."""
        params = SamplingParams(structured_outputs=to_structured_outputs(wanted))
        params._validate_structured_outputs(  # noqa: SLF001 - the rest of `verify` is not for here
            self._config.model_config, self._config.structured_outputs_config, self._tokenizer
        )
        structured: Any = params.structured_outputs
        backend = self._backend(structured._backend)  # noqa: SLF001 - chosen by the validation
        if backend is None:
            return None
        began = time.process_time()
        grammar = backend.compile_grammar(*get_structured_output_key(structured))
        spent = time.process_time() - began
        if spent > _MOST_COMPILE_S:
            raise InvalidRequestError(
                field,
                f"takes {spent:.1f} s to compile; the server's bound is {_MOST_COMPILE_S:g} s",
            )
        return grammar

    def _backend(self, name: str) -> StructuredOutputBackend | None:
        if name not in _BACKENDS:
            return None
        if name not in self._backends:
            self._backends[name] = _BACKENDS[name](
                self._config, self._tokenizer, self._config.model_config.get_vocab_size()
            )
        return self._backends[name]

    def _mask(self) -> torch.Tensor:
        words = -(-self._config.model_config.get_vocab_size() // _BITS)
        return torch.full((1, words), -1, dtype=torch.int32)


def _walk(grammar: StructuredOutputGrammar, mask: torch.Tensor, field: str) -> None:
    """Write the answer with the lowest ids that are allowed, as far as the bounds go."""
    began = time.process_time()
    for _ in range(_WALK_TOKENS):
        if grammar.is_terminated():
            return
        step_began = time.process_time()
        grammar.fill_bitmask(mask, 0)
        token_id = _lowest(mask)
        if token_id is None or not grammar.accept_tokens("check", [token_id]):
            return
        now = time.process_time()
        if now - step_began > _MOST_STEP_S or now - began > _MOST_WALK_S:
            raise InvalidRequestError(
                field,
                "costs too much at every token, which would hold up all answers; "
                "make it smaller or bound its repetitions",
            )


def _lowest(mask: torch.Tensor) -> int | None:
    """Return the lowest id that a mask of bits allows."""
    words = mask[0].nonzero()
    if not len(words):
        return None
    index = int(words[0])
    word = int(mask[0][index]) & 0xFFFFFFFF
    return index * _BITS + ((word & -word).bit_length() - 1)
