"""Which field of a request vLLM means when it refuses one of its own parameters."""

from __future__ import annotations

# By vLLM's names; what it does not name is about the prompt.
_FIELDS = {
    "logprobs": "output_options.logprobs",
    "prompt_logprobs": "output_options.prompt_logprobs",
    "logprob_token_ids": "output_options.logprob_token_ids",
    "logit_bias": "sampling.logit_bias",
    "bad_words": "sampling.bad_words",
    "allowed_token_ids": "sampling.allowed_token_ids",
    "stop_token_ids": "sampling.stop_token_ids",
    "thinking_token_budget": "sampling.thinking_token_budget",
}


def field_of(error: Exception) -> str:
    """Return the field's path: vLLM names the parameter, or begins its sentence with it."""
    words = str(error).split(maxsplit=1)
    parameter = getattr(error, "parameter", None) or (words[0] if words else "")
    return _FIELDS.get(parameter, "prompt")
