"""Make uniform training batches: one layout a batch, fresh media in every row.

A layout fixes the order of the parts (media and question), the size of each picture, the number of
frames and the seconds of sound. Rows differ in what is shown, in the question and so in the length
of text, which is padded on the right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from demo import drawing, features, questions, synthesis
from demo.model_config import HOP_LENGTH, MERGE_SIZE, PATCH_SIZE
from demo.towers import positions

if TYPE_CHECKING:
    from random import Random

    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from demo.questions import Asked, Clip, Picture, Sound
    from demo.towers import Grid

TEXT = "text"
MASK_SCALE = 4
NOT_LEARNED = -100
_TWO_TURNS = 0.35
_ASPECTS = ((1, 1), (1, 1), (1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (16, 9))
_MARKS = {
    "image": ("<|vision_bos|>", "<|IMAGE|>", "<|vision_eos|>"),
    "audio": ("<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"),
    "video": ("<|vision_bos|>", "<|VIDEO|>", "<|vision_eos|>"),
}
MIX = {
    ("image",): 30,
    ("audio",): 17,
    ("video",): 15,
    ("image", "image"): 12,
    ("image", "audio"): 9,
    ("image", "audio", "video"): 14,
    (): 3,
}


@dataclass
class Slot:
    """One medium of every row, and what each shows.

    `pixels` are uint8 [B, T, 3, h, w], `waves` float32 [B, samples]. `masks` tells of pictures
    where the figures are, [B, h/4, w/4] and 255 inside; of sounds how many beeps have begun by the
    end of each token, [B, tokens].
    """

    kind: str
    data: NDArray[np.generic]
    subjects: list[Picture | Sound | Clip]
    grid: Grid | None
    tokens: int
    masks: NDArray[np.integer] | None = None


@dataclass
class Batch:
    """A batch ready for the towers and the language model.

    `ids` and `labels` are [B, L], `places` (rotary positions) [3, B, L]; `NOT_LEARNED` labels are
    skipped.
    """

    name: str
    slots: list[Slot]
    ids: NDArray[np.int64]
    places: NDArray[np.int64]
    labels: NDArray[np.int64]


def canvas(rng: Random, aspect: tuple[int, int], target: tuple[int, int] | None) -> tuple[int, int]:
    """Return a height and width of about this aspect (width : height) that scale to `target`."""
    while True:
        ratio = aspect[0] / aspect[1] * rng.uniform(0.94, 1.06)
        area = rng.uniform(84, 190) ** 2
        size = (round((area / ratio) ** 0.5), round((area * ratio) ** 0.5))
        if target is None or features.scaled_size(*size) == target:
            return size


def image_slot(rng: Random, rows: int, *, named_only: bool = False, ease: float = 0.0) -> Slot:
    """Draw one picture per row.

    With `named_only` always a single shape, with `ease` a large one in the middle.
    """
    aspect = rng.choice(_ASPECTS)
    target = features.scaled_size(*canvas(rng, aspect, None))
    pixels, subjects, masks = [], [], []
    for _ in range(rows):
        single = drawing.single_picture if rng.random() < 0.8 else drawing.placed_picture
        picture, scene = single(rng) if named_only else drawing.any_picture(rng)
        height, width = canvas(rng, aspect, target)
        if ease and not picture.place:
            scene = drawing.ease(rng, scene, ease)
        drawn = drawing.draw(scene, width, height)
        drawn = drawn if rng.random() < ease else drawing.roughen(rng, drawn)
        pixels.append(features.scale(np.asarray(drawn)).numpy()[None])
        masks.append(
            np.asarray(drawing.mask(scene, target[1] // MASK_SCALE, target[0] // MASK_SCALE))
        )
        subjects.append(picture)
    frames = np.stack(pixels)
    return Slot("image", frames, subjects, *_grid(1, target), masks=np.stack(masks))


def video_slot(rng: Random, rows: int, frames: int | None = None) -> Slot:
    """Draw one video per row, the sampled frames only."""
    frames = frames or rng.choice((4, 4, 4, 4, 6, 6, 8))
    aspect = rng.choice(_ASPECTS)
    target = features.scaled_size(*canvas(rng, aspect, None))
    pixels, subjects = [], []
    for _ in range(rows):
        clip, scenes = drawing.clip(rng, frames)
        height, width = canvas(rng, aspect, target)
        rough = rng.random() < 0.3
        drawn = [drawing.draw(scene, width, height) for scene in scenes]
        if rough:
            drawn = [drawing.roughen(rng, frame) for frame in drawn]
        pixels.append(features.scale(np.stack([np.asarray(frame) for frame in drawn])).numpy())
        subjects.append(clip)
    return Slot("video", np.stack(pixels), subjects, *_grid(frames // 2, target))


def audio_slot(rng: Random, rows: int) -> Slot:
    """Synthesise one sound per row, all of one length."""
    seconds = rng.uniform(1.0, 3.4)
    made = [synthesis.any_sound(rng, seconds) for _ in range(rows)]
    waves = np.stack([wave for _, wave, _ in made])
    tokens = features.audio_tokens(-(-waves.shape[1] // HOP_LENGTH))
    ends = (np.arange(tokens) + 1) * features.AUDIO_TOKEN_SECONDS
    heard = np.stack([(np.array(starts)[:, None] < ends).sum(0) for _, _, starts in made])
    return Slot("audio", waves, [sound for sound, _, _ in made], None, tokens, masks=heard)


def _grid(time: int, target: tuple[int, int]) -> tuple[Grid, int]:
    height, width = target[0] // PATCH_SIZE, target[1] // PATCH_SIZE
    return (time, height, width), time * height * width // MERGE_SIZE**2


def ask(rng: Random, kinds: tuple[str, ...], subjects: list) -> Asked:
    """Ask about the media of one row; `kinds` in the order of `MIX`."""
    makers = {
        ("image",): questions.ask_picture,
        ("audio",): questions.ask_sound,
        ("video",): questions.ask_clip,
        ("image", "image"): questions.ask_two_pictures,
        ("image", "audio"): questions.ask_picture_and_sound,
        ("image", "audio", "video"): questions.ask_all_three,
        (): questions.ask_text,
    }
    return makers[kinds](rng, *subjects)


def order_parts(rng: Random, kinds: tuple[str, ...]) -> list[int | str]:
    """Return the parts in prompt order: slots by index, `text` first, last or in between."""
    media: list[int | str] = list(range(len(kinds)))
    if kinds != ("image", "image"):
        rng.shuffle(media)
    where = rng.choice((0, len(media), len(media), rng.randint(0, len(media))))
    return [*media[:where], TEXT, *media[where:]]


def make_batch(
    rng: Random, tokenizer: Tokenizer, rows: int, kinds: tuple[str, ...] | None = None
) -> Batch:
    """Make one batch of a layout drawn by `MIX`, or of the given kinds."""
    if kinds is None:
        kinds = rng.choices(list(MIX), weights=list(MIX.values()))[0]
    named_only = len(kinds) > 1
    slots = [
        image_slot(rng, rows, named_only=named_only)
        if kind == "image"
        else (audio_slot(rng, rows) if kind == "audio" else video_slot(rng, rows))
        for kind in kinds
    ]
    order = order_parts(rng, kinds)
    turns = 2 if rng.random() < _TWO_TURNS else 1
    lines = []
    for row in range(rows):
        subjects = [slot.subjects[row] for slot in slots]
        asked = [ask(rng, kinds, subjects) for _ in range(turns)]
        lines.append(_row(tokenizer, rng.choice(questions.SYSTEM_LINES), slots, order, asked))
    ids, places, labels = _pad(lines)
    ordered = [slots[part] for part in order if part != TEXT]
    return Batch("+".join(kinds) or TEXT, ordered, ids, places, labels)


def _row(
    tokenizer: Tokenizer, system: str, slots: list[Slot], order: list[int | str], asked: list[Asked]
) -> tuple[list[int], NDArray[np.int64], list[int]]:
    """Return ids, positions [3, L] and labels of one row; all media belong to its first turn."""
    layout: list[int | Grid] = []
    ids: list[int] = []
    labels: list[int] = []

    def write(text: str, *, learned: bool = False) -> None:
        new = tokenizer.encode(text).ids
        ids.extend(new)
        labels.extend(new if learned else [NOT_LEARNED] * len(new))
        layout.append(len(new))

    write(f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n")
    for part in order:
        if isinstance(part, str):
            write(asked[0][0])
            continue
        slot = slots[part]
        before, mark, after = _MARKS[slot.kind]
        write(before)
        ids.extend([tokenizer.token_to_id(mark)] * slot.tokens)
        labels.extend([NOT_LEARNED] * slot.tokens)
        layout.append(slot.grid or slot.tokens)
        write(after)
    for turn, (question, answer) in enumerate(asked):
        if turn:
            write(f"\n<|im_start|>user\n{question}")
        write("<|im_end|>\n<|im_start|>assistant\n")
        write(f"{answer}<|im_end|>", learned=True)
    return ids, positions(layout).numpy(), labels


def _pad(
    lines: list[tuple[list[int], NDArray[np.int64], list[int]]],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Pad rows on the right to ids [B, L], positions [3, B, L] and labels [B, L]."""
    length = max(len(ids) for ids, _, _ in lines)
    ids_padded = np.zeros((len(lines), length), np.int64)
    places = np.zeros((3, len(lines), length), np.int64)
    labels = np.full((len(lines), length), NOT_LEARNED, np.int64)
    for row, (ids, where, targets) in enumerate(lines):
        ids_padded[row, : len(ids)] = ids
        places[:, row, : len(ids)] = where
        labels[row, : len(ids)] = targets
    return ids_padded, places, labels
