"""What vLLM's own server makes of a conversation."""

from __future__ import annotations

from typing import Any

from vllm.multimodal.media import MEDIA_CONNECTOR_REGISTRY, MediaConnector
from vllm.renderers import renderer_from_config
from vllm.renderers.params import ChatParams

from service.engine.multimodal import to_multi_modal_data
from tests.conformance.formats.conversations import Case
from tests.conformance.formats.media import media

CONNECTOR = "decoded-media"


@MEDIA_CONNECTOR_REGISTRY.register(CONNECTOR)
class _DecodedMedia(MediaConnector):
    """Takes a medium's name for its URL; how files are decoded is another test's question."""

    def fetch_image(self, image_url: str, **_: object) -> Any:
        return _vllm_item(image_url)

    def fetch_audio(self, audio_url: str, **_: object) -> Any:
        return _vllm_item(audio_url)

    def fetch_video(self, video_url: str, **_: object) -> Any:
        return _vllm_item(video_url)


def _vllm_item(name: str) -> Any:
    ((item,),) = to_multi_modal_data([media(name)]).values()
    return item


class VllmPrompts:
    """vLLM's renderer, called as its chat endpoint calls it.

    `VLLM_MEDIA_CONNECTOR` must be CONNECTOR.
    """

    def __init__(self, vllm_config: Any) -> None:
        self._renderer = renderer_from_config(vllm_config)

    def token_ids(self, case: Case) -> list[int]:
        """Return the prompt's ids, media in their places."""
        params = ChatParams(
            chat_template_kwargs={
                "add_generation_prompt": case.options.add_generation_prompt,
                "continue_final_message": case.options.continue_final_message,
            }
        )
        _, (prompt,) = self._renderer.render_chat([case.openai_messages()], params)
        return list(prompt["prompt_token_ids"])
