"""What `make demo` shows: a server on the demo model, and one question to each kind of medium.

    python -m demo.show

Exits 0 when every answer was right, 1 otherwise.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from triptych_client import Audio, Client, Image, Video

_MEDIA = Path(__file__).parent / "media"
_START_TIMEOUT_S = 300


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
    with _server() as address, Client(address) as client:
        client.wait_until_ready(timeout_s=_START_TIMEOUT_S)
        wrong = [question for question in QUESTIONS if not _ask(client, question)]
    print(f"\n{len(QUESTIONS) - len(wrong)} of {len(QUESTIONS)} answers are right")
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


@contextlib.contextmanager
def _server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "service", "serve", "--listen", address])
    try:
        yield address
    finally:
        process.terminate()
        process.wait()
        print(f"whole demo: {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
