"""One tokenizer of another project, timed once: a script that runs in that project's environment.

    python benchmarks/tokenizer_peers.py PEER TOKENIZER_JSON TEXTS SECONDS [--with-worst]

It prints one JSON object: for each `WHAT/SET` the CPU seconds of one iteration, as the sidecar's
own tokenizer-bench names them, and `load`. Each peer is asked in the way that it is fastest in:
arrays where it can give them, no special tokens, one thread.
"""

from __future__ import annotations

import json
import os
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

_DECODED = "_100000"
SEED = "seed_filler"


class Tokenizer(ABC):
    """A loaded tokenizer."""

    # What it does beside encoding.
    gives_spans: ClassVar[bool] = False

    @abstractmethod
    def encode(self, text: str) -> Any:
        """Return the ids in the cheapest form."""

    @abstractmethod
    def decode(self, ids: Any) -> Any:
        """Return the text of what `decodable` gave."""

    def decodable(self, ids: Any) -> Any:
        """Return what `encode` gave in the form that `decode` is fastest with."""
        return ids


class Reference(Tokenizer):
    """Hugging Face `tokenizers` 0.23, one text at a time; its encodings have offsets."""

    gives_spans = True

    def __init__(self, path: str) -> None:
        import tokenizers

        self._decode_stream = tokenizers.decoders.DecodeStream
        self._tokenizer = tokenizers.Tokenizer.from_file(path)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode(self, text: str) -> Any:
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def decode(self, ids: Any) -> Any:
        return self._tokenizer.decode(ids, skip_special_tokens=False)

    def stream_decode(self, ids: list[int]) -> None:
        """Decode id by id; the others cannot."""
        stream = self._decode_stream(skip_special_tokens=False)
        for id_ in ids:
            stream.step(self._tokenizer, id_)


class ReferenceFast(Reference):
    """The same by `encode_batch_fast`, which leaves out the offsets."""

    gives_spans = False

    def encode(self, text: str) -> Any:
        return self._tokenizer.encode_batch_fast([text], add_special_tokens=False)[0].ids


class ReferenceNext(Tokenizer):
    """Hugging Face `tokenizers` 1.0."""

    def __init__(self, path: str) -> None:
        import tokenizers

        self._tokenizer = tokenizers.Tokenizer.from_file(path)

    def encode(self, text: str) -> Any:
        return self._tokenizer.encode(text, add_special_tokens=False).ids_array

    def decode(self, ids: Any) -> Any:
        return self._tokenizer.decode(ids, skip_special_tokens=False)


class Gigatoken(Tokenizer):
    """Its own interface, without the compatible one's conversions."""

    def __init__(self, path: str) -> None:
        import gigatoken

        self._tokenizer = gigatoken.Tokenizer(path).backend

    def encode(self, text: str) -> Any:
        return self._tokenizer.encode(text)

    def decode(self, ids: Any) -> Any:
        return self._tokenizer.decode(ids)


class Fastokens(Tokenizer):
    """Its flat form: two buffers."""

    def __init__(self, path: str) -> None:
        import fastokens
        import numpy as np

        self._from_buffer = np.frombuffer
        self._uint32 = np.uint32
        self._tokenizer = fastokens.Tokenizer.from_file(path)

    def encode(self, text: str) -> Any:
        return self._from_buffer(self._tokenizer.encode_batch_flat([text])[0], self._uint32)

    def decodable(self, ids: Any) -> Any:
        return ids.tolist()

    def decode(self, ids: Any) -> Any:
        return self._tokenizer.decode(ids)


PEERS: dict[str, Callable[[str], Tokenizer]] = {
    "tokenizers 0.23.3 encode": Reference,
    "tokenizers 0.23.3 encode_batch_fast": ReferenceFast,
    "tokenizers 1.0.0rc3": ReferenceNext,
    "gigatoken 0.10.0": Gigatoken,
    "fastokens 0.3.5": Fastokens,
}


def seconds_of(run: Callable[[], object], budget_s: float) -> float:
    """Return the CPU seconds of one run, over as many as take the budget."""
    count = 1
    while True:
        start = time.process_time()
        for _ in range(count):
            run()
        elapsed = time.process_time() - start
        if elapsed >= budget_s:
            return elapsed / count
        count = max(count + 1, min(count * 10, int(count * budget_s * 1.2 / max(elapsed, 1e-6))))


def resident_mb() -> float:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def measure(
    peer: str, path: str, sets: dict[str, list[str]], budget_s: float
) -> dict[str, float | str]:
    """Time all that the peer can do; where it fails, say how."""
    found: dict[str, float | str] = {}
    make = PEERS[peer]
    tokenizer = None
    for name in sorted(sets.keys() - {SEED}):  # the cold sets come first
        kind, _, rest = name.partition("_")
        if tokenizer is None or kind == "cold":
            before, start = resident_mb(), time.process_time()
            tokenizer = make(path)
            loaded = time.process_time() - start
            # What is made ready by the first text of all is no part of the texts that are timed.
            for text in sets[SEED]:
                tokenizer.encode(text)
            found.setdefault("load", loaded)
            found.setdefault("rss_mb", resident_mb() - before)
        for what, run in _runs(tokenizer, kind, rest, sets[name]):
            try:
                if kind != "warm":
                    start = time.process_time()
                    run()
                    found[what] = time.process_time() - start
                else:
                    run()
                    found[what] = seconds_of(run, budget_s)
            except Exception as exc:  # noqa: BLE001 - what one peer cannot do is told, not fatal
                found[what] = f"{type(exc).__name__}: {exc}"[:200]
    return found


def _runs(
    tokenizer: Tokenizer, kind: str, rest: str, texts: list[str]
) -> list[tuple[str, Callable[[], object]]]:
    def encode() -> None:
        for text in texts:
            tokenizer.encode(text)

    runs: list[tuple[str, Callable[[], object]]] = [
        (f"{'encode' if kind == 'warm' else kind}/{rest}", encode)
    ]
    if kind == "warm" and tokenizer.gives_spans:
        runs.append((f"encode_spans/{rest}", encode))
    if kind == "warm" and rest.endswith(_DECODED):
        lists = [tokenizer.decodable(tokenizer.encode(text)) for text in texts]
        runs.append((f"decode/{rest}", lambda: [tokenizer.decode(ids) for ids in lists]))
        if isinstance(tokenizer, Reference):
            stream = tokenizer.stream_decode
            runs.append((f"stream_decode/{rest}", lambda: [stream(ids) for ids in lists]))
    return runs


def main() -> None:
    """Measure what the command line names."""
    peer, path, texts, budget_s = sys.argv[1:5]
    sets = {
        folder.name: [file.read_bytes().decode() for file in sorted(folder.iterdir())]
        for folder in Path(texts).iterdir()
        if "--with-worst" in sys.argv or not folder.name.startswith("worst")
    }
    print(json.dumps(measure(peer, path, sets, float(budget_s))))


if __name__ == "__main__":
    main()
