"""A refusal of vLLM's own is told with the field that the caller wrote."""

from __future__ import annotations

from typing import Any

import pytest
from vllm.exceptions import VLLMValidationError
from vllm.sampling_params import SamplingParams

from service.engine.refused_fields import field_of


class Model:
    """What vLLM asks of a model's config here."""

    max_logprobs = 20

    def get_vocab_size(self) -> int:
        return 100


@pytest.mark.parametrize(
    ("given", "check", "field"),
    [
        ({"logprobs": 21}, "_validate_logprobs", "output_options.logprobs"),
        ({"prompt_logprobs": 21}, "_validate_logprobs", "output_options.prompt_logprobs"),
        (
            {"logprob_token_ids": [100]},
            "_validate_logprobs",
            "output_options.logprob_token_ids",
        ),
        ({"logit_bias": {100: 1.0}}, "_validate_logit_bias", "sampling.logit_bias"),
        ({"stop_token_ids": [-1]}, "_validate_stop_token_ids", "sampling.stop_token_ids"),
        ({"allowed_token_ids": [100]}, "_validate_allowed_token_ids", "sampling.allowed_token_ids"),
    ],
)
def test_vllm_names_the_parameter(given: dict[str, Any], check: str, field: str) -> None:
    with pytest.raises(VLLMValidationError) as refusal:
        getattr(SamplingParams(**given), check)(Model())
    assert field_of(refusal.value) == field


def test_where_vllm_only_begins_with_it_that_is_read() -> None:
    error = VLLMValidationError("thinking_token_budget is set but reasoning_config is not")
    assert field_of(error) == "sampling.thinking_token_budget"


@pytest.mark.parametrize("error", [ValueError("the prompt is odd"), ValueError()])
def test_the_rest_is_about_the_prompt(error: ValueError) -> None:
    assert field_of(error) == "prompt"
