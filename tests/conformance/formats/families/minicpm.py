"""MiniCPM-V 2.6.

It fixes `(<image>./</image>)` and `(<video>./</video>)`, which are text and no tokens, in ChatML
turns; its template takes plain text (model card of openbmb/MiniCPM-V-2_6). Real checkpoints bring
the config and the picture's processor; the tests bring theirs.
"""

from __future__ import annotations

from pathlib import Path

from tests.conformance.formats.checkpoints import (
    IMAGE,
    TINY_VISION,
    VIDEO,
    Checkpoint,
    tiny_text,
)
from tests.conformance.formats.families.text import CHATML
from tests.conformance.formats.remote_code import write_code, write_json
from tests.conformance.formats.vocabulary import Vocabulary

_VOCABULARY = Vocabulary(
    "byte-level",
    ["<slice>", "</slice>", "<image_id>", "</image_id>"],
    {
        "bos_token": "<|im_start|>",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "unk_token": "<unk>",
        "im_start": "<image>",
        "im_end": "</image>",
    },
    joins_places=True,
)
_SIDE, _PLACES = 56, 4


def _write(directory: Path, ids: dict[str, int]) -> None:
    config = {
        **tiny_text(ids),
        # A head of what makes places of patches has 128.
        "hidden_size": 128,
        "architectures": ["MiniCPMV"],
        "model_type": "minicpmv",
        "auto_map": {"AutoConfig": "minicpm_code.MiniCPMVConfig"},
        "vision_config": {**TINY_VISION, "image_size": _SIDE, "patch_size": 14},
        "image_size": _SIDE,
        "query_num": _PLACES,
        "version": 2.6,
    }
    write_json(directory / "config.json", config)
    processor = {
        "auto_map": {
            "AutoImageProcessor": "minicpm_code.MiniCPMVImageProcessor",
            "AutoProcessor": "minicpm_code.MiniCPMVProcessor",
        },
        "image_feature_size": _PLACES,
        "scale_resolution": _SIDE,
    }
    write_json(directory / "preprocessor_config.json", processor)
    write_code(directory, "minicpm_code")


CHECKPOINTS = (
    Checkpoint(
        "minicpm-v",
        _VOCABULARY,
        CHATML,
        _write,
        frozenset({IMAGE, VIDEO}),
        flags=("--trust-remote-code",),
    ),
)
