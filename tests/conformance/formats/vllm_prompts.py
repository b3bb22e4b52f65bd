"""What vLLM's own server makes of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vllm.multimodal.media import MEDIA_CONNECTOR_REGISTRY, MediaConnector
from vllm.multimodal.video import get_video_loader_backend_for_processor
from vllm.renderers import renderer_from_config
from vllm.renderers.params import ChatParams
from vllm.transformers_utils.processor import get_video_processor_cls_name

from service.engine.multimodal import to_multi_modal_data
from tests.conformance.formats.conversations import Case
from tests.conformance.formats.media import media

CONNECTOR = "decoded-media"


@MEDIA_CONNECTOR_REGISTRY.register(CONNECTOR)
class _DecodedMedia(MediaConnector):
    """Takes a medium's name for its URL; how files are decoded is another test's question."""

    def fetch_image(self, image_url: str, **options: Any) -> Any:
        return _item(image_url) or super().fetch_image(image_url, **options)

    def fetch_audio(self, audio_url: str, **options: Any) -> Any:
        return _item(audio_url) or super().fetch_audio(audio_url, **options)

    def fetch_video(self, video_url: str, **options: Any) -> Any:
        return _item(video_url) or super().fetch_video(video_url, **options)


def _item(name: str) -> Any:
    """Return what vLLM's decoder would have given; None for a real URL."""
    if name.startswith("data:"):
        return None
    ((item,),) = to_multi_modal_data([media(name)]).values()
    return item


class VllmPrompts:
    """vLLM's renderer, called as its chat endpoint calls it.

    `VLLM_MEDIA_CONNECTOR` must be CONNECTOR.
    """

    def __init__(self, vllm_config: Any) -> None:
        self.model_config = vllm_config.model_config
        self.renderer = renderer_from_config(vllm_config)

    def token_ids(self, case: Case, url_of: Callable[[str], str] = str) -> list[int]:
        """Return the prompt's ids, media in their places; a medium's URL is its name."""
        return self.ids_of(
            case.openai_messages(url_of),
            add_generation_prompt=case.options.add_generation_prompt,
            continue_final_message=case.options.continue_final_message,
        )

    def ids_of(
        self,
        messages: list[dict[str, Any]],
        *,
        add_generation_prompt: bool = True,
        continue_final_message: bool = False,
    ) -> list[int]:
        """Return the ids of a client's messages."""
        params = ChatParams(
            chat_template_kwargs={
                "add_generation_prompt": add_generation_prompt,
                "continue_final_message": continue_final_message,
            }
        )
        _, (prompt,) = self.renderer.render_chat([messages], params)
        return list(prompt["prompt_token_ids"])

    def takes_32_frames(self) -> bool:
        """Tell whether vLLM takes up to 32 frames of any video, for it has no rule for the model.

        Here a video has 2 a second, as vLLM's rule for Qwen's models has it.
        """
        processor = get_video_processor_cls_name(self.model_config)
        return get_video_loader_backend_for_processor(processor) is None

    def ids_of_prompt(self, prompt: Any) -> list[int]:
        """Return the ids of a prompt that is ready, those of the decoder where there are two."""
        (rendered,) = self.renderer.render_cmpl([prompt])
        decoder = rendered.get("decoder_prompt", rendered)
        return list(decoder["prompt_token_ids"])
