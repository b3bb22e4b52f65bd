"""The held-out set: items of each task, with encoded media, prompt, expected answer and check.

Held out in more than the seed: pictures are drawn at sizes from 72 to 580 pixels (training: about
84 to 250) and go through JPEG, PNG or WebP; sounds go through WAV, MP3, FLAC or OGG at several
sampling rates, videos through H.264 or VP9 at several frame rates, none of which training knows.
The same task and number always give the same item.

    for item in evaluation_set.items("image_name", 100): ...
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import soxr
from PIL import Image

from demo import drawing, questions, synthesis
from demo.encoding import encode_picture, encode_sound, encode_video
from demo.model_config import SAMPLING_RATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PICTURE_KINDS = ("jpeg", "jpeg", "png", "webp")
_SOUND_KINDS = ("wav", "mp3", "flac", "ogg")
_VIDEO_KINDS = ("mp4", "mp4", "webm")
_RATES = (16_000, 22_050, 44_100, 48_000)


@dataclass(frozen=True)
class Media:
    """One encoded file: `kind` is image, audio or video; `format` its file type."""

    kind: str
    format: str
    data: bytes


@dataclass(frozen=True)
class Item:
    """One held-out question: parts in prompt order, and what the answer must be."""

    task: str
    parts: tuple[str | Media, ...]
    expected: str

    def is_right(self, answer: str) -> bool:
        """Tell whether an answer says what is expected; case and end marks do not count."""
        return _plain(answer) == _plain(self.expected)


def _plain(text: str) -> str:
    return " ".join(text.lower().replace(".", " ").replace(",", " ").split())


def _encoded(rng: Random, scene: drawing.Scene) -> Media:
    width = rng.randint(72, 420)
    height = round(width * rng.choice((1.0, 1.0, 0.75, 1.3, rng.uniform(0.72, 1.38))))
    kind = rng.choice(_PICTURE_KINDS)
    picture = _speckle(rng, drawing.draw(scene, width, height))
    return Media("image", kind, encode_picture(picture, kind, rng.randint(50, 95)))


def _speckle(rng: Random, picture: Image.Image) -> Image.Image:
    """Add noise to every second picture."""
    if rng.random() < 0.5:
        return picture
    noise = np.random.default_rng(rng.getrandbits(32)).normal(
        0, rng.uniform(2, 10), (*picture.size[::-1], 3)
    )
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))


def _single(rng: Random) -> tuple[questions.Picture, Media]:
    picture, scene = drawing.single_picture(rng)
    return picture, _encoded(rng, scene)


def _tone(rng: Random, count: int = 1) -> tuple[questions.Sound, Media]:
    sound = questions.Sound(rng.choice(questions.PITCHES), count)
    wave, _ = synthesis.lay_out(rng, sound, rng.uniform(1.1, 3.2))
    kind, rate = rng.choice(_SOUND_KINDS), rng.choice(_RATES)
    resampled = soxr.resample(synthesis.roughen(rng, wave), SAMPLING_RATE, rate)
    return sound, Media("audio", kind, encode_sound(np.clip(resampled, -1, 1), kind, rate))


def _moving(rng: Random) -> tuple[questions.Clip, Media]:
    rate = rng.choice((8, 10, 12, 15))
    frames = round(rate * rng.uniform(1.2, 3.4))
    clip, scenes = drawing.clip(rng, frames)
    width, height = rng.choice(((96, 96), (128, 96), (160, 120), (200, 200), (240, 180), (96, 128)))
    kind = rng.choice(_VIDEO_KINDS)
    return clip, Media(
        "video",
        kind,
        encode_video([drawing.draw(scene, width, height) for scene in scenes], kind, rate),
    )


def _around(rng: Random, media: list[Media], question: str) -> tuple[str | Media, ...]:
    """Put the question before or after the media."""
    return (question, *media) if rng.random() < 0.4 else (*media, question)


def _image_name(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    picture, media = _single(rng)
    return _around(rng, [media], rng.choice(questions.WHAT_PICTURE)), questions.name_picture(
        picture
    )


def _image_count(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    picture, scene = drawing.several_picture(rng, rng.randint(1, 4))
    question = rng.choice(questions.COUNT)
    return _around(rng, [_encoded(rng, scene)], question), questions.name_count(
        picture.count, "shape"
    )


def _image_place(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    picture, scene = drawing.placed_picture(rng)
    answer = questions.name_place(str(picture.place))
    return _around(rng, [_encoded(rng, scene)], rng.choice(questions.PLACE)), answer


def _audio_tone(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    sound, media = _tone(rng)
    return _around(
        rng, [media], rng.choice(questions.TONE + questions.WHAT_SOUND)
    ), questions.name_sound(sound)


def _audio_beeps(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    sound, media = _tone(rng, rng.randint(1, synthesis.MOST_BEEPS))
    return _around(rng, [media], rng.choice(questions.BEEPS)), questions.name_count(
        sound.count, "beep"
    )


def _video_direction(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    clip, media = _moving(rng)
    return _around(rng, [media], rng.choice(questions.DIRECTION)), questions.name_direction(
        clip.direction
    )


def _second_image(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    (_, first), (second, media) = _single(rng), _single(rng)
    return _around(rng, [first, media], rng.choice(questions.SECOND)), questions.name_picture(
        second
    )


def _first_image(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    (first, media), (_, second) = _single(rng), _single(rng)
    return _around(rng, [media, second], rng.choice(questions.FIRST)), questions.name_picture(first)


def _image_and_audio(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    (picture, image), (sound, audio) = _single(rng), _tone(rng)
    media = [image, audio] if rng.random() < 0.5 else [audio, image]
    answer = questions.tell_picture_and_sound(picture, sound)
    return _around(rng, media, rng.choice(questions.SEE_AND_HEAR)), answer


def _all_three(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    (picture, image), (sound, audio), (clip, video) = _single(rng), _tone(rng), _moving(rng)
    media = [image, audio, video]
    rng.shuffle(media)
    answer = questions.tell_everything(picture, sound, clip)
    return _around(rng, media, rng.choice(questions.EVERYTHING)), answer


def _text(rng: Random) -> tuple[tuple[str | Media, ...], str]:
    question, answer = questions.ask_text(rng)
    return (question,), answer


_MAKERS: dict[str, Callable[[Random], tuple[tuple[str | Media, ...], str]]] = {
    "image_name": _image_name,
    "image_count": _image_count,
    "image_place": _image_place,
    "audio_tone": _audio_tone,
    "audio_beeps": _audio_beeps,
    "video_direction": _video_direction,
    "second_image": _second_image,
    "first_image": _first_image,
    "image_and_audio": _image_and_audio,
    "image_audio_video": _all_three,
    "text": _text,
}
TARGETS = dict.fromkeys(_MAKERS, 0.90) | {"image_name": 0.95}


def tasks() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return tuple(_MAKERS)


def items(task: str, number: int = 100) -> Iterator[Item]:
    """Yield the first `number` held-out items of a task; always the same ones."""
    for index in range(number):
        parts, expected = _MAKERS[task](Random(f"held out {task} {index}"))
        yield Item(task, parts, expected)
