"""Write what the fuzz targets begin with: samples/ (small tokenizers) and seeds/ (inputs).

Everything here is made up for the purpose; nothing comes from a published tokenizer. Each sample
is small, but has what its kind of real file has: the stages in their usual order, and added
tokens with odd flags. Every file is read by Hugging Face `tokenizers` before it is written.

Run it anew after a change: `.venv/bin/python sidecar/fuzz/make_seeds.py`. Seeds of findings
(`found_*`) were not made here and stay.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from loader_files import loader_variants
from message_files import frames_inputs, rank_files, service_inputs
from sample_files import samples
from tokenizer_files import CLIP, LLAMA3, O200K, QWEN2, Json
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent

TEXTS = [
    "",
    "the <s>cat</s> in the<|end|>  hat",
    "  the   aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "a<word>b <word> c <left> d  <left><right>  e <both> <Both>  \u3000<Both>",
    "Caf\u00e9 cafe\u0301 CAFE\u0301 \u4f60\u597d \U0001f469\u200d\U0001f467 \u1100\u1161\u11a8",
    "don't DON'T we'Ve 12345 \u00bd\u0663 \r\n\n \t\u00a0\u2003x",
    "<s><s><s> <0x41><0xC3> [MASK] [CLS]x##the \u2581the",
    "\u0344\u0345\u0f73a\u0323\u0307 \ufb01 \u212b \u017f\u0130 \u0000\ufffd\ufeff",
]


def encode_inputs() -> dict[str, bytes]:
    """Return inputs of encode_fuzz: sample, flags, spans (from, length), text."""
    inputs: dict[str, bytes] = {}
    for name in samples():
        for number, text in enumerate(TEXTS):
            spans = bytes([2, 4, 3, 2, 9]) if number % 2 else bytes([0])
            inputs[f"{name}_{number}"] = (
                name[:1].encode() + bytes([number % 8]) + spans + text.encode()
            )
    inputs["not_utf8"] = b"a\x00\x00ab\xc3\x28"
    inputs["half_a_character"] = b"a\x00\x00ab\xf0\x9f\x98"
    inputs["malformed_spans"] = b"a\x04\x02\x05\x09\x00\x03text with spans"
    return inputs


def decode_inputs() -> dict[str, bytes]:
    """Return inputs of decode_fuzz: as the target's file tells."""
    inputs: dict[str, bytes] = {}
    for name, sample in samples().items():
        tokenizer = Tokenizer.from_str(json.dumps(sample))
        for number, text in enumerate(TEXTS[1:]):
            try:
                ids = tokenizer.encode(text, add_special_tokens=number % 2 == 0).ids
            except Exception:  # noqa: BLE001, S112 - a model without an unknown token says no
                continue
            body = b"".join(i.to_bytes(2, "big") for i in ids)
            stops = bytes([2, 3, 5, 9, 2]) if number % 2 else bytes([0])
            later = bytes([number % 3, number // 2])  # min_tokens, the size of the context
            head = name[:1].encode() + bytes([number * 5 % 16, number]) + stops + later
            inputs[f"{name}_{number}"] = head + body
        every = range(min(300, tokenizer.get_vocab_size()))
        body = b"".join(i.to_bytes(2, "big") for i in every)
        inputs[f"{name}_every_id"] = name[:1].encode() + bytes(5) + body
    return inputs


def regex_inputs() -> dict[str, bytes]:
    """Return inputs of regex_fuzz: a pattern, a newline, a text."""
    patterns = [
        QWEN2,
        LLAMA3,
        CLIP,
        O200K,
        *(r"\s+(?!\S)|\s+", r"(a*)*b", r"(?>a|ab)c?", r"a{2,3}?b{2}c{,2}", r"[^\x41-\x5A\s]++"),
        *(r"(?i:[sdmt]|ll|ve|re)", r"\A.|.\z|^x|y$", r"\p{^L}\P{N}\p{Han}", r"[\w\-a-c]+?\d*+"),
        *(r"\x{1F600}|\u00e9", "(", "[z-a]", "a{1000}{1000}", "(?:(?:a{9}){9}){9}", ""),
    ]
    text = "the don't 12345 \u00e9\u4f60 \U0001f600  \n\nabc aaaaab"
    return {f"{i:02}": f"{pattern}\n{text}".encode() for i, pattern in enumerate(patterns)}


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files, and remove what an earlier run wrote and this one did not.

    What the fuzzers found is kept: named found_..., or by libFuzzer, for its content.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in files and not re.match(r"found_|[0-9a-f]{40}$", path.name):
            path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def as_json(value: Json) -> bytes:
    """Return the file of a tokenizer that Hugging Face `tokenizers` can read."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    Tokenizer.from_str(text)
    return text.encode()


def main() -> None:
    """Write all files."""
    seeds = HERE / "seeds"
    write(HERE / "samples", {f"{n}.json": as_json(s) for n, s in samples().items()})
    write(seeds / "loader", {f"{n}.json": as_json(v) for n, v in loader_variants().items()})
    write(seeds / "encode", encode_inputs())
    write(seeds / "decode", decode_inputs())
    write(seeds / "regex", regex_inputs())
    write(seeds / "service", service_inputs())
    write(seeds / "frames", frames_inputs())
    write(seeds / "files", rank_files())


if __name__ == "__main__":
    main()
