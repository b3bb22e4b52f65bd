"""What is asked and what is answered: phrasings of every task, and the answers' wording.

A subject (`Picture`, `Sound`, `Clip`) says what a medium shows; the functions below turn subjects
into pairs of question and answer. The same tables serve the tokenizer's corpus, the training and
the evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

COLOURS = ("red", "green", "blue", "yellow", "purple", "orange")
SHAPES = ("circle", "square", "triangle", "star")
PLACES = ("left", "right", "top", "bottom")
DIRECTIONS = ("left", "right", "up", "down")
PITCHES = ("low", "middle", "high")
NUMBERS = ("one", "two", "three", "four")
COUNTING = (
    "one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, "
    "fourteen, fifteen, sixteen, seventeen, eighteen, nineteen, twenty."
)
GREETING = (
    "Hello! I am the small demo model of Triptych. "
    "Ask me about a picture of a shape, a tone, or a video of a moving shape."
)


@dataclass(frozen=True)
class Picture:
    """What a picture shows: `count` shapes.

    Colour, shape and place are of the only one where count is 1.
    """

    colour: str
    shape: str
    count: int = 1
    place: str | None = None


@dataclass(frozen=True)
class Sound:
    """What a sound holds: `count` beeps of one pitch, or one long tone where count is 1."""

    pitch: str
    count: int = 1


@dataclass(frozen=True)
class Clip:
    """What a video shows: one shape that moves in one direction."""

    colour: str
    shape: str
    direction: str


def article(noun: str) -> str:
    """Put the article before a noun: `orange star` -> `an orange star`."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def name_picture(picture: Picture) -> str:
    """Name colour and shape: `a red circle`."""
    return article(f"{picture.colour} {picture.shape}")


def name_count(count: int, noun: str) -> str:
    """Name a number of things: `two beeps`."""
    return f"{NUMBERS[count - 1]} {noun}{'' if count == 1 else 's'}"


def name_place(place: str) -> str:
    """Name a place: `on the left`, `at the top`."""
    return f"on the {place}" if place in {"left", "right"} else f"at the {place}"


def name_sound(sound: Sound) -> str:
    """Name a sound: `a low tone`, or `three beeps`."""
    return f"a {sound.pitch} tone" if sound.count == 1 else name_count(sound.count, "beep")


def name_tone(sound: Sound) -> str:
    """Name a sound's pitch: `a low tone`."""
    return f"a {sound.pitch} tone"


def name_direction(direction: str) -> str:
    """Name a direction: `to the left`, `up`."""
    return f"to the {direction}" if direction in {"left", "right"} else direction


def name_clip(clip: Clip) -> str:
    """Name what moves and where to: `a red circle moving up`."""
    return f"{article(f'{clip.colour} {clip.shape}')} moving {clip.direction}"


WHAT_PICTURE = (
    "What is this?",
    "What is in the picture?",
    "What do you see?",
    "What does the picture show?",
    "Describe the picture.",
    "Describe this image.",
    "What is in the image?",
    "Name the colour and the shape.",
    "Which shape and which colour?",
)
COLOUR = (
    "What colour is it?",
    "What color is it?",
    "Which colour does the shape have?",
    "Name the colour.",
)
SHAPE = ("What shape is it?", "Which shape is it?", "Name the shape.")
COUNT = (
    "How many shapes are there?",
    "How many shapes do you see?",
    "How many shapes are in the picture?",
    "Count the shapes.",
)
PLACE = (
    "Where is the shape?",
    "Where is it?",
    "On which side is the shape?",
    "Where in the picture is the shape?",
)
TONE = (
    "How high is the tone?",
    "Is the tone low, middle or high?",
    "What tone is it?",
    "Name the tone.",
)
WHAT_SOUND = (
    "What is this?",
    "What do you hear?",
    "What is in the sound?",
    "Describe the sound.",
    "What is this sound?",
)
BEEPS = (
    "How many beeps are there?",
    "How many beeps do you hear?",
    "How many beeps?",
    "Count the beeps.",
)
DIRECTION = (
    "Which way does it move?",
    "Which way does the shape move?",
    "Where does it move?",
    "In which direction does it move?",
    "In which direction does the shape move?",
)
WHAT_CLIP = (
    "What is this?",
    "What happens in the video?",
    "Describe the video.",
    "What does the video show?",
)
SECOND = (
    "What is in the second picture?",
    "What does the second picture show?",
    "What is in the second image?",
    "Describe the second picture.",
)
FIRST = (
    "What is in the first picture?",
    "What does the first picture show?",
    "What is in the first image?",
    "Describe the first picture.",
)
BOTH = (
    "What is in the pictures?",
    "Describe both pictures.",
    "What do the two pictures show?",
    "What are these?",
)
SEE_AND_HEAR = (
    "What do you see and hear?",
    "Describe the picture and the sound.",
    "What is in the picture, and what do you hear?",
    "What do you see, and what do you hear?",
    "What is all this?",
)
EVERYTHING = (
    "Describe everything.",
    "What do you see, what do you hear, and which way does it move?",
    "Describe the picture, the sound and the video.",
    "What is in the picture, the sound and the video?",
    "What is all this?",
)
HELLO = ("Hello", "Hello!", "Hi", "Hi!", "Who are you?", "What can you do?", "What are you?")
COUNT_UP = ("Count from one to twenty.", "Please count from one to twenty.", "Count to twenty.")
SYSTEM_LINES = (
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "Answer in a few words.",
    "You look at pictures, listen to sounds and watch videos.",
)
IN_THE_PICTURE = WHAT_PICTURE[1:2] + WHAT_PICTURE[3:7]
IN_THE_SOUND = WHAT_SOUND[1:]


Asked = tuple[str, str]


def ask_picture(rng: Random, picture: Picture) -> Asked:
    """Ask about one picture; which question fits depends on what it shows."""
    if picture.count > 1:
        return rng.choice(COUNT), name_count(picture.count, "shape")
    kinds: list[Callable[[], Asked]] = [
        lambda: (rng.choice(WHAT_PICTURE), name_picture(picture)),
        lambda: (rng.choice(WHAT_PICTURE), name_picture(picture)),
        lambda: (rng.choice(COLOUR), picture.colour),
        lambda: (rng.choice(SHAPE), article(picture.shape)),
        lambda: (rng.choice(COUNT), name_count(1, "shape")),
    ]
    if picture.place:
        place = name_place(picture.place)
        return rng.choice(kinds)() if rng.random() < 0.25 else (rng.choice(PLACE), place)
    return rng.choice(kinds)()


def ask_sound(rng: Random, sound: Sound) -> Asked:
    """Ask about one sound: its pitch, its beeps, or what it is."""
    return rng.choice(
        (
            (rng.choice(TONE), name_tone(sound)),
            (rng.choice(WHAT_SOUND), name_sound(sound)),
            (rng.choice(BEEPS), name_count(sound.count, "beep")),
        )
    )


def ask_clip(rng: Random, clip: Clip) -> Asked:
    """Ask about one video: mostly the direction."""
    if rng.random() < 0.65:
        return rng.choice(DIRECTION), name_direction(clip.direction)
    return rng.choice(WHAT_CLIP), name_clip(clip)


def ask_two_pictures(rng: Random, first: Picture, second: Picture) -> Asked:
    """Ask about one of two pictures, or about both."""
    draw = rng.random()
    if draw < 0.2:
        return rng.choice(BOTH), tell_two_pictures(first, second)
    if draw < 0.65:
        return rng.choice(SECOND), name_picture(second)
    return rng.choice(FIRST), name_picture(first)


def tell_two_pictures(first: Picture, second: Picture) -> str:
    """Answer about two pictures."""
    return (
        f"The first picture shows {name_picture(first)}. "
        f"The second picture shows {name_picture(second)}."
    )


def tell_picture_and_sound(picture: Picture, sound: Sound) -> str:
    """Answer about both: `The picture shows a red circle. The sound is a low tone.`."""
    return f"The picture shows {name_picture(picture)}. The sound is {name_sound(sound)}."


def tell_everything(picture: Picture, sound: Sound, clip: Clip) -> str:
    """Answer about all three media."""
    return (
        f"{tell_picture_and_sound(picture, sound)} In the video the shape moves {clip.direction}."
    )


def ask_picture_and_sound(rng: Random, picture: Picture, sound: Sound) -> Asked:
    """Ask about a picture and a sound: mostly both at once, else one of them."""
    draw = rng.random()
    if draw < 0.6:
        return rng.choice(SEE_AND_HEAR), tell_picture_and_sound(picture, sound)
    if draw < 0.8:
        return rng.choice(IN_THE_PICTURE), name_picture(picture)
    return rng.choice(IN_THE_SOUND), name_sound(sound)


def ask_all_three(rng: Random, picture: Picture, sound: Sound, clip: Clip) -> Asked:
    """Ask about a picture, a sound and a video: mostly all at once, else one of them."""
    draw = rng.random()
    if draw < 0.6:
        return rng.choice(EVERYTHING), tell_everything(picture, sound, clip)
    if draw < 0.73:
        return rng.choice(IN_THE_PICTURE), name_picture(picture)
    if draw < 0.86:
        return rng.choice(IN_THE_SOUND), name_sound(sound)
    return rng.choice(DIRECTION), name_direction(clip.direction)


def ask_text(rng: Random) -> Asked:
    """Ask something that needs no media."""
    return rng.choice(((rng.choice(HELLO), GREETING), (rng.choice(COUNT_UP), COUNTING)))


def all_texts() -> Iterator[str]:
    """Yield every question and every answer once: the tokenizer's corpus."""
    for table in (
        WHAT_PICTURE,
        COLOUR,
        SHAPE,
        COUNT,
        PLACE,
        TONE,
        WHAT_SOUND,
        BEEPS,
        DIRECTION,
        WHAT_CLIP,
        SECOND,
    ):
        yield from table
    for table in (FIRST, BOTH, SYSTEM_LINES, SEE_AND_HEAR, EVERYTHING, HELLO, COUNT_UP):
        yield from table
    yield from (GREETING, COUNTING)
    for colour in COLOURS:
        yield from (name_picture(Picture(colour, shape)) for shape in SHAPES)
    for count in range(1, len(NUMBERS) + 1):
        yield from (name_count(count, "beep"), name_count(count, "shape"))
    for place, direction in zip(PLACES, DIRECTIONS, strict=True):
        yield from (name_place(place), name_direction(direction))
    yield tell_two_pictures(Picture("red", "star"), Picture("blue", "circle"))
    for pitch in PITCHES:
        yield tell_everything(Picture("red", "star"), Sound(pitch), Clip("red", "star", "up"))
