"""Stop strings end a stream where a text that grows token by token first has one."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.tokenizer.running_sidecar import Sidecar
from tests.unit.tokenizer.test_decode import stream
from tests.unit.tokenizer.trained_tokenizers import CORPUS
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb


@dataclass
class Ended:
    """A text that has ended, the index of the stop string, and how many ids belong to it."""

    text: str
    stop: int | None
    tokens: int


def ended(texts: list[str], stops: list[str], *, include: bool) -> Ended:
    """Return where a text ends that grew to `texts[i]` with its i-th token.

    The stop string that is complete first wins, then the first of the list.
    """
    whole = texts[-1] if texts else ""
    for end in range(1, len(whole) + 1):
        for index, stop in enumerate(stops):
            if stop and whole[:end].endswith(stop):
                tokens = next(i for i, text in enumerate(texts, 1) if len(text) >= end)
                return Ended(whole[: end if include else end - len(stop)], index, tokens)
    return Ended(whole, None, len(texts))


def certain_texts(sidecar: Sidecar, ids: list[int]) -> list[str]:
    """Return what a stream without stop strings has given after each id."""
    pieces = sidecar_pieces(sidecar, pb.OpenStream(), [[i] for i in ids])
    return list(itertools.accumulate(piece.text for piece in pieces[:-1]))


def sidecar_pieces(
    sidecar: Sidecar, options: pb.OpenStream, calls: list[list[int]]
) -> list[pb.StreamResult]:
    """Return the results of the calls, and of closing."""
    operations = [
        pb.StreamOperation(stream_id=1, open=options),
        *(pb.StreamOperation(stream_id=1, append=pb.AppendTokens(token_ids=ids)) for ids in calls),
        pb.StreamOperation(stream_id=1, close=pb.CloseStream()),
    ]
    return next(stream(sidecar, [operations]))[1:]


@pytest.mark.parametrize("include", [False, True])
def test_stop_strings(
    trained_path: Callable[[str], Path],
    start_sidecar: Callable[[Path], Sidecar],
    *,
    include: bool,
) -> None:
    """Several stop strings, overlapping and across tokens, however the ids are cut."""
    sidecar = start_sidecar(trained_path("gpt2"))
    random_ = random.Random(5)
    for text in [*CORPUS[:6], "你好👨‍👩‍👧é aab aaab", "abababab"]:
        ids = sidecar.reference.encode(text, add_special_tokens=False).ids
        texts = certain_texts(sidecar, ids)
        for _ in range(12):
            starts = [random_.randrange(len(text)) for _ in range(3)]
            stops = [text[at : at + random_.randrange(1, 6)] for at in starts]
            stops += [stops[0] + "not there", "", stops[1][1:] + text[:1]]
            random_.shuffle(stops)
            expected = ended(texts, stops, include=include)
            cut = random_.randrange(len(ids) + 1)
            for calls in ([[i] for i in ids], [ids[:cut], ids[cut:]]):
                options = pb.OpenStream(stop_strings=stops, include_stop_string=include)
                results = sidecar_pieces(sidecar, options, calls)
                assert expected.text == "".join(r.text for r in results), (text, stops)
                for end in itertools.accumulate(len(r.text) for r in results):
                    assert end <= len(expected.text)
                if expected.stop is None:
                    assert not any(r.HasField("stop") for r in results)
                    continue
                assert expected.stop == results[-1].stop.stop_index
                used = [
                    r.stop.tokens_used if r.HasField("stop") else len(call)
                    for r, call in zip(results, calls, strict=False)
                ]
                assert expected.tokens == sum(used), (text, stops)
