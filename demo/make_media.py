"""Draw the sample media that `make demo` asks about: two pictures, two sounds, a video.

    python -m demo.make_media

Each is drawn by hand here, not by the random scenes of the training.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from demo import synthesis
from demo.drawing import Figure, Scene, draw
from demo.encoding import encode_picture, encode_sound, encode_video
from demo.model_config import SAMPLING_RATE

_FOLDER = Path(__file__).parent / "media"
_FRAMES_PER_SECOND = 12
_FRAMES = 24
_TONE_HERTZ = 200.0
_BEEP_HERTZ = 2_400.0


def red_circle() -> bytes:
    """Draw a red circle on light grey, as a JPEG of 240 x 240 pixels."""
    scene = Scene((228, 228, 226), (Figure("circle", (214, 34, 40), x=0.47, y=0.52, radius=0.27),))
    return encode_picture(draw(scene, 240, 240), "jpeg", 85)


def blue_star() -> bytes:
    """Draw a blue star on white, as a PNG of 200 x 150 pixels."""
    scene = Scene(
        (255, 255, 255), (Figure("star", (38, 72, 214), x=0.52, y=0.5, radius=0.3, turn=0.1),)
    )
    return encode_picture(draw(scene, 200, 150), "png")


def three_beeps() -> bytes:
    """Synthesise three high beeps in a WAV of two seconds."""
    wave = np.zeros(2 * SAMPLING_RATE, np.float32)
    for start in (0.25, 0.75, 1.25):
        beep = synthesis.tone(Random("sample beep"), _BEEP_HERTZ, 0.2)
        first = int(start * SAMPLING_RATE)
        wave[first : first + len(beep)] = 0.4 * beep
    return encode_sound(wave, "wav")


def low_tone() -> bytes:
    """Synthesise one low tone in an MP3 of 1.6 seconds."""
    return encode_sound(0.4 * synthesis.tone(Random("sample tone"), _TONE_HERTZ, 1.6), "mp3")


def move_left() -> bytes:
    """Draw a green square that moves to the left, as an MP4 of two seconds."""
    figure = Figure("square", (44, 160, 62), x=0.8, y=0.5, radius=0.17)
    along = np.linspace(0.78, 0.22, _FRAMES)
    scenes = [Scene((240, 240, 240), (replace(figure, x=float(x)),)) for x in along]
    return encode_video([draw(scene, 160, 120) for scene in scenes], "mp4", _FRAMES_PER_SECOND)


def main() -> None:
    """Write all samples."""
    _FOLDER.mkdir(exist_ok=True)
    made = {
        "picture.jpg": red_circle(),
        "second_picture.png": blue_star(),
        "sound.wav": three_beeps(),
        "tone.mp3": low_tone(),
        "clip.mp4": move_left(),
    }
    for name, data in made.items():
        (_FOLDER / name).write_bytes(data)


if __name__ == "__main__":
    main()
