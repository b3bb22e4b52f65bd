"""The config of InternVL's own form; vLLM 0.32 has the processor."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedConfig, Qwen2Config


class InternVLChatConfig(PreTrainedConfig):
    """Settings of the vision tower and of the text model, each a config, beside those of both."""

    model_type = "internvl_chat"

    def __init__(
        self,
        vision_config: dict[str, Any] | None = None,
        llm_config: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.vision_config = PreTrainedConfig(**(vision_config or {}))
        self.llm_config = Qwen2Config(**(llm_config or {}))
        super().__init__(**settings)
