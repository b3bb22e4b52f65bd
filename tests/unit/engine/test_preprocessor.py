"""Media that went through a worker get into prompts exactly as by vLLM in one go."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from service.config import prepare_engine_environment, resolve_model
from service.domain.conversation import Modality
from service.domain.media import (
    DecodedAudio,
    DecodedImage,
    DecodedMedia,
    DecodedVideo,
    PreparedMedia,
)
from service.errors import InvalidRequestError
from service.workers import shared_pickle

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def config() -> Any:
    prepare_engine_environment("info")
    from service.engine.engine_args import parse_engine_args

    return parse_engine_args(resolve_model(None)[0], ("--max-model-len", "4096"))


@pytest.fixture(scope="module")
def preprocessor(config: Any) -> Any:
    from service.engine.preprocessor import Preprocessor

    return Preprocessor.load(config)


@pytest.fixture
def make_renderer(config: Any) -> Callable[[], Any]:
    from vllm.renderers import renderer_from_config

    return lambda: renderer_from_config(config.create_engine_config())


def image(seed: int = 0, height: int = 120, width: int = 90) -> DecodedImage:
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return DecodedImage(f"image {seed}", f"image-{seed}", pixels)


def audio(seed: int = 0, seconds: float = 1.3) -> DecodedAudio:
    samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE_HZ))
    return DecodedAudio(f"audio {seed}", f"audio-{seed}", samples.astype(np.float32), RATE_HZ)


def video(seed: int = 0, count: int = 6, *, has_sound: bool = False) -> DecodedVideo:
    frames = np.random.default_rng(seed).integers(0, 255, (count, 60, 80, 3), np.uint8)
    return DecodedVideo(
        field=f"video {seed}",
        sha256=f"video-{seed}-{has_sound}",
        frames=frames,
        fps=2.0,
        duration_s=count / 2,
        total_frames=count,
        frame_indices=tuple(range(count)),
        sound=audio(seed, count / 2).samples if has_sound else None,
        sound_rate_hz=RATE_HZ if has_sound else 0,
    )


MEDIA: dict[str, Sequence[DecodedMedia]] = {
    "one image": [image()],
    "two images": [image(1), image(2, 200, 300)],
    "a picture of three rows": [image(5, 3, 40)],
    "a picture of three columns": [image(6, 40, 3)],
    "one audio": [audio()],
    "two audios": [audio(1), audio(2, 0.4)],
    "one video": [video()],
    "all kinds": [image(), audio(), video()],
    "the same twice": [image(), audio(), image()],
    "a video with its sound": [video(has_sound=True)],
    "a video with its sound, and an image": [image(), video(has_sound=True)],
}


def prompt_ids(renderer: Any, media: Sequence[DecodedMedia]) -> list[int]:
    processor = renderer.get_mm_processor().info.get_hf_processor()
    tokens = {
        Modality.IMAGE: processor.image_token,
        Modality.AUDIO: processor.audio_token,
        Modality.VIDEO: processor.video_token,
    }
    text = "Look: " + " and ".join(tokens[one.modality] for one in media) + " what is this?"
    return renderer.tokenizer.encode(text, add_special_tokens=False)


def in_one_go(renderer: Any, ids: list[int], media: Sequence[DecodedMedia]) -> Any:
    """What vLLM makes of the same media."""
    from service.engine.multimodal import to_multi_modal_data

    data: dict[str, list[Any]] = to_multi_modal_data(media)
    prompt: dict[str, Any] = {"prompt_token_ids": ids, "multi_modal_data": data}
    sounds = [one for one in media if isinstance(one, DecodedVideo) and one.sound is not None]
    if sounds:
        data[Modality.AUDIO] = [(one.sound, one.sound_rate_hz) for one in sounds]
        prompt["mm_processor_kwargs"] = {"use_audio_in_video": True}
    (rendered,) = renderer.render_cmpl([prompt], skip_mm_cache=True)
    return rendered


def prepared(preprocessor: Any, media: Sequence[DecodedMedia]) -> list[PreparedMedia]:
    """Preprocess each by itself, and send it through shared memory."""
    found = []
    for one in media:
        item, size_bytes = preprocessor.preprocess(one)
        assert size_bytes > 0
        fd = shared_pickle.dump(item)
        found.append(PreparedMedia(one.field, one.modality, one.sha256, shared_pickle.load(fd)))
        os.close(fd)
    return found


def assert_same_tensors(expected: Any, actual: Any) -> None:
    assert expected.keys() == actual.keys()
    for kind in expected:
        for ours, theirs in zip(actual[kind], expected[kind], strict=True):
            left, right = ours.get_data(), theirs.get_data()
            assert left.keys() == right.keys()
            for name in left:
                assert torch.equal(torch.as_tensor(left[name]), torch.as_tensor(right[name])), name


@pytest.mark.parametrize("name", MEDIA)
def test_two_halves_give_what_one_whole_gives(
    preprocessor: Any, make_renderer: Callable[[], Any], name: str
) -> None:
    from service.engine.prompt_builder import PromptBuilder

    media, renderer = MEDIA[name], make_renderer()
    ids = prompt_ids(renderer, media)
    expected = in_one_go(renderer, ids, media)
    builder = PromptBuilder(renderer)
    prompt = asyncio.run(builder.build(ids, prepared(preprocessor, media)))
    sent = builder.to_send(prompt)

    assert sent["prompt_token_ids"] == expected["prompt_token_ids"]
    assert prompt.token_count == len(expected["prompt_token_ids"])
    assert sent["mm_placeholders"].keys() == expected["mm_placeholders"].keys()
    for kind, places in expected["mm_placeholders"].items():
        for ours, theirs in zip(sent["mm_placeholders"][kind], places, strict=True):
            assert (ours.offset, ours.length) == (theirs.offset, theirs.length)
            assert ours.get_num_embeds() == theirs.get_num_embeds()
    if name != "the same twice":  # the second is left out, for the engine has it by then
        assert_same_tensors(expected["mm_kwargs"], sent["mm_kwargs"])
    assert [span.field for span in prompt.placeholders] == [one.field for one in media]
    assert all(span.length > 0 for span in prompt.placeholders)


def test_what_the_engine_has_is_not_sent_again(
    preprocessor: Any, make_renderer: Callable[[], Any]
) -> None:
    from service.engine.prompt_builder import PromptBuilder

    renderer = make_renderer()
    builder = PromptBuilder(renderer)
    media = [image(), image()]
    ids = prompt_ids(renderer, media)

    def send() -> list[bool]:
        prompt = asyncio.run(builder.build(ids, prepared(preprocessor, media)))
        return [item is not None for item in builder.to_send(prompt)["mm_kwargs"]["image"]]

    assert send() == [True, False]
    assert send() == [False, False]
    renderer.mm_processor_cache.invalidate("image-0")
    assert send() == [True, False]


def test_what_the_models_processor_does_not_take_is_a_wrong_field(preprocessor: Any) -> None:
    """Qwen's processors take no picture that is 200 times as long as wide."""
    with pytest.raises(InvalidRequestError) as refusal:
        preprocessor.preprocess(image(3, 4, 4000))
    assert refusal.value.violations[0][0] == "image 3"
    assert "aspect ratio" in refusal.value.message


def test_this_models_processor_is_given_pixels_as_they_are(preprocessor: Any) -> None:
    """What it makes of a PIL image is the same, and costs three times as much."""
    assert preprocessor._takes_tensors


def test_a_processor_that_takes_no_tensors_is_given_pictures(
    preprocessor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.engine import preprocessor as module

    monkeypatch.setattr(module, "to_image_tensor", lambda trial: trial.pixels[..., 0])
    assert not preprocessor._gives_the_same_for_tensors()


def test_a_video_with_sound_needs_a_model_that_takes_both_as_one(
    preprocessor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preprocessor, "_hears_videos", False)
    with pytest.raises(InvalidRequestError) as refusal:
        preprocessor.preprocess(video(has_sound=True))
    assert refusal.value.violations[0][0] == "video 0.use_sound"
