"""What `make demo` shows: a server on the demo model, and one question to each kind of medium.

    python -m demo.show

Exits 0 when every answer was right, 1 otherwise.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from demo.server import running_server
from triptych_client import Audio, Client, Image, Video

_MEDIA = Path(__file__).parent / "media"


@dataclass(frozen=True)
class Question:
    """Media and words to send, and what the right answer holds."""

    files: tuple[str, ...]
    text: str
    expected: str


QUESTIONS = (
    Question(("picture.jpg",), "What is this?", "a red circle"),
    Question(("sound.wav",), "What do you hear?", "three beeps"),
    Question(("clip.mp4",), "Which way does it move?", "left"),
    Question(("picture.jpg", "sound.wav", "clip.mp4"), "What is all this?", "circle"),
)
_PART_KINDS = {".jpg": Image, ".png": Image, ".wav": Audio, ".mp3": Audio, ".mp4": Video}


def main() -> int:
    """Start a server, ask everything, stop it."""
    started = time.monotonic()
    with running_server() as client:
        wrong = [question for question in QUESTIONS if not _ask(client, question)]
    took = time.monotonic() - started
    print(f"\n{len(QUESTIONS) - len(wrong)} of {len(QUESTIONS)} answers are right, in {took:.0f} s")
    return 1 if wrong else 0


def _ask(client: Client, question: Question) -> bool:
    print(f"\n> {' + '.join(question.files)}: {question.text}")
    parts = [_PART_KINDS[Path(name).suffix](_MEDIA / name) for name in question.files]
    answer = ""
    for piece in client.generate([*parts, question.text], temperature=0):
        print(piece, end="", flush=True)
        answer += piece
    is_right = question.expected in answer
    print("" if is_right else f"   (expected: {question.expected})")
    return is_right


if __name__ == "__main__":
    sys.exit(main())
