"""Fuzzes one decoder with libFuzzer's mutations, by atheris: `media_fuzz DECODER [OPTION ...]`.

The codecs themselves carry no instrumentation, so coverage, which leads the search, is that of our
own modules and of Pillow's; mutations of the seeds do the rest. A finding is whatever is no error
of ours about the part's field, a signal, too much memory, or too much time: libFuzzer writes the
input down. MemoryError is the worker's to tell of, and none.

Run by scripts/fuzz_media.sh.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["PIL", "service.media"]):
    from service.domain.limits import MediaLimits
    from service.errors import InvalidRequestError
    from service.media.decoding import decode, describe

import io

from service.domain.conversation import MediaPart
from tests.fuzz.media_seeds import DECODERS, part_for, seeds, with_sound
from tests.unit.media.files import AUDIO_RATE_HZ, FIELD

# Large media are no other code, only slower.
_LIMITS = MediaLimits(
    image_pixels=1_000_000,
    audio_seconds=60,
    video_frame_pixels=300_000,
    video_seconds=600,
    video_frames=64,
)


def decode_one(part: MediaPart, data: bytes) -> None:
    """Describe and decode; raises what is a finding."""
    for act in (_describe, _decode):
        try:
            act(part, data)
        except InvalidRequestError as error:
            if not all(field.startswith(FIELD) for field, _ in error.violations):
                raise
            if "\n" in error.message or " object at 0x" in error.message:
                raise
        except MemoryError:
            pass


def _describe(part: MediaPart, data: bytes) -> None:
    describe(part, io.BytesIO(data), len(data), _LIMITS)


def _decode(part: MediaPart, data: bytes) -> None:
    decode(part, io.BytesIO(data), len(data), _LIMITS, audio_rate_hz=AUDIO_RATE_HZ, digest="")


def main() -> None:
    decoder, options = sys.argv[1], sys.argv[2:]
    if decoder == "--seeds":
        folder = Path(options[0])
        for name in DECODERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
            for number, data in enumerate(seeds(name)):
                (folder / name / f"seed-{number}").write_bytes(data)
        return
    part = part_for(decoder)
    sounding = with_sound(part)

    def run(data: bytes) -> None:
        decode_one(part, data)
        if sounding is not part:
            decode_one(sounding, data)

    atheris.Setup([sys.argv[0], *options], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
