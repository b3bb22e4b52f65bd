"""Draw the pictures and the videos: coloured shapes on a plain ground, with noise and blur.

All coordinates are fractions of the canvas until the last moment, so one scene can be drawn at any
size. Nothing here knows of the model; the same functions draw for training, for the evaluation and
for the sample media.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from demo.questions import COLOURS, DIRECTIONS, PLACES, SHAPES, Clip, Picture

if TYPE_CHECKING:
    from random import Random

Rgb = tuple[int, int, int]
_BASE: dict[str, Rgb] = {
    "red": (220, 30, 35),
    "green": (40, 165, 60),
    "blue": (40, 70, 220),
    "yellow": (245, 220, 40),
    "purple": (140, 45, 175),
    "orange": (248, 135, 25),
}
_GROUNDS: tuple[Rgb, ...] = (
    (255, 255, 255),
    (225, 225, 225),
    (190, 190, 190),
    (90, 90, 90),
    (40, 40, 40),
    (0, 0, 0),
)
_SUPERSAMPLING = 2
_STEP = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_SIDE = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}


@dataclass(frozen=True)
class Figure:
    """One shape; `turn` in radians.

    Centre and radius are fractions of width, height and the shorter side.
    """

    shape: str
    rgb: Rgb
    x: float
    y: float
    radius: float
    turn: float = 0.0


@dataclass(frozen=True)
class Scene:
    """A ground colour and the figures on it."""

    ground: Rgb
    figures: tuple[Figure, ...]


def outline(figure: Figure, width: int, height: int) -> list[tuple[float, float]]:
    """Return the corners of a figure in pixels; a circle has 40."""
    corners = {"circle": 40, "square": 4, "triangle": 3, "star": 10}[figure.shape]
    grown = {"circle": 1.0, "square": 1.2, "triangle": 1.25, "star": 1.3}[figure.shape]
    start = -math.pi / 2 + (math.pi / 4 if figure.shape == "square" else 0.0) + figure.turn
    points = []
    for corner in range(corners):
        reach = figure.radius * grown * min(width, height)
        if figure.shape == "star" and corner % 2:
            reach *= 0.42
        angle = start + 2 * math.pi * corner / corners
        points.append(
            (
                figure.x * width + reach * math.cos(angle),
                figure.y * height + reach * math.sin(angle),
            )
        )
    return points


def draw(scene: Scene, width: int, height: int) -> Image.Image:
    """Draw a scene with smooth edges; return an RGB picture of `width` x `height` pixels."""
    big = (width * _SUPERSAMPLING, height * _SUPERSAMPLING)
    canvas = Image.new("RGB", big, scene.ground)
    pen = ImageDraw.Draw(canvas)
    for figure in scene.figures:
        pen.polygon(outline(figure, *big), fill=figure.rgb)
    return canvas.reduce(_SUPERSAMPLING)


def shade(rng: Random, colour: str) -> Rgb:
    """Return a colour's value, varied a little in each channel."""
    red, green, blue = (min(255, max(0, level + rng.randint(-14, 14))) for level in _BASE[colour])
    return red, green, blue


def ground(rng: Random) -> Rgb:
    """Return a grey, white or black ground, slightly tinted."""
    red, green, blue = (
        min(255, max(0, level + rng.randint(-8, 8))) for level in rng.choice(_GROUNDS)
    )
    return red, green, blue


def _figure(rng: Random, colour: str, shape: str, **where: float) -> Figure:
    return Figure(shape, shade(rng, colour), turn=rng.uniform(-0.2, 0.2), **where)


def single_picture(rng: Random) -> tuple[Picture, Scene]:
    """Draw one shape somewhere: large, or smaller and off the middle."""
    colour, shape = rng.choice(COLOURS), rng.choice(SHAPES)
    radius = rng.uniform(0.17, 0.36)
    room = max(0.0, 0.5 - radius * 1.25)
    x, y = 0.5 + rng.uniform(-room, room), 0.5 + rng.uniform(-room, room)
    figure = _figure(rng, colour, shape, x=x, y=y, radius=radius)
    return Picture(colour, shape), Scene(ground(rng), (figure,))


def placed_picture(rng: Random) -> tuple[Picture, Scene]:
    """Draw one shape near one side, about the middle of that side."""
    colour, shape, place = rng.choice(COLOURS), rng.choice(SHAPES), rng.choice(PLACES)
    radius = rng.uniform(0.13, 0.2)
    away = rng.uniform(0.22, 0.5 - radius * 1.2)
    drift = rng.uniform(-0.1, 0.1)
    across, down = _SIDE[place]
    x = 0.5 + across * away + (0 if across else drift)
    y = 0.5 + down * away + (0 if down else drift)
    figure = _figure(rng, colour, shape, x=x, y=y, radius=radius)
    return Picture(colour, shape, place=place), Scene(ground(rng), (figure,))


def several_picture(rng: Random, count: int) -> tuple[Picture, Scene]:
    """Draw `count` shapes that do not touch."""
    colour, shape = rng.choice(COLOURS), rng.choice(SHAPES)
    mixed = rng.random() < 0.5
    figures: list[Figure] = []
    radius = rng.uniform(0.1, 0.15)
    while len(figures) < count:
        x, y = (
            rng.uniform(radius * 1.3, 1 - radius * 1.3),
            rng.uniform(radius * 1.3, 1 - radius * 1.3),
        )
        if all(math.hypot(x - other.x, y - other.y) > 2.9 * radius for other in figures):
            hue = rng.choice(COLOURS) if mixed else colour
            kind = rng.choice(SHAPES) if mixed else shape
            figures.append(_figure(rng, hue, kind, x=x, y=y, radius=radius))
        elif rng.random() < 0.01:
            figures.clear()
    return Picture(colour, shape, count=count), Scene(ground(rng), tuple(figures))


def any_picture(rng: Random) -> tuple[Picture, Scene]:
    """Draw a picture of any task; counting is as likely as naming."""
    draw_of = rng.random()
    if draw_of < 0.42:
        return single_picture(rng)
    if draw_of < 0.64:
        return placed_picture(rng)
    return several_picture(rng, rng.randint(2, 4) if rng.random() < 0.85 else 1)


def clip(rng: Random, frames: int) -> tuple[Clip, list[Scene]]:
    """Draw one shape that moves steadily in one direction; return a scene per frame."""
    colour, shape, direction = rng.choice(COLOURS), rng.choice(SHAPES), rng.choice(DIRECTIONS)
    radius = rng.uniform(0.13, 0.22)
    across, down = _STEP[direction]
    way = rng.uniform(0.3, 0.95 - radius * 2)
    room = max(0.0, (1 - way) / 2 - radius)
    middle_x, middle_y = (0.5 + rng.uniform(-room, room) for _ in range(2))
    figure = _figure(rng, colour, shape, x=middle_x, y=middle_y, radius=radius)
    plain = ground(rng)
    scenes = []
    for index in range(frames):
        along = way * (index / max(1, frames - 1) - 0.5)
        scenes.append(
            Scene(plain, (replace(figure, x=middle_x + across * along, y=middle_y + down * along),))
        )
    return Clip(colour, shape, direction), scenes


def ease(rng: Random, scene: Scene, amount: float) -> Scene:
    """Move a single figure towards the middle, upright and large, on black.

    Wholly for an `amount` of 1, not at all for 0.
    """
    if rng.random() < amount:
        scene = replace(scene, ground=(0, 0, 0))
    if len(scene.figures) != 1:
        return scene
    figure = scene.figures[0]
    kept = 1.0 - amount
    easier = replace(
        figure,
        x=0.5 + kept * (figure.x - 0.5),
        y=0.5 + kept * (figure.y - 0.5),
        radius=kept * figure.radius + amount * 0.36,
        turn=kept * figure.turn,
    )
    return replace(scene, figures=(easier,))


def mask(scene: Scene, width: int, height: int) -> Image.Image:
    """Draw where the figures are: a grey picture, 255 inside and 0 outside."""
    white = tuple(replace(figure, rgb=(255, 255, 255)) for figure in scene.figures)
    return draw(Scene((0, 0, 0), white), width, height).convert("L")


def roughen(rng: Random, picture: Image.Image) -> Image.Image:
    """Add what real media have: noise, blur, JPEG blocks; often nothing."""
    if rng.random() < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.5:
        noise = np.random.default_rng(rng.getrandbits(32)).normal(
            0, rng.uniform(2, 14), (*picture.size[::-1], 3)
        )
        picture = Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))
    if rng.random() < 0.35:
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=rng.randint(35, 95))
        picture = Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")
    return picture
