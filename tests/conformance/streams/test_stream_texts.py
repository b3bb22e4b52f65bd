"""What the sidecar's streams give out is, to the character, what vLLM gives out.

Random ids, stop strings, prompts and chunks, the same ones in every run. Ours may come sooner than
vLLM's text, which holds back as many characters as the longest stop string has, but never before it
is certain.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from transformers import PreTrainedTokenizerFast

from service.tokenizer.sidecar_client import SidecarClient
from tests.conformance.streams.cases import Case, random_cases
from tests.conformance.streams.vocabularies import MADE, write
from tests.parity.real_vocabularies import real_vocabularies
from tests.pinned_package import FetchError
from tests.unit.tokenizer.running_sidecar import connect, local_socket

if TYPE_CHECKING:
    from tests.conformance.streams.vllm_stream import VllmStream

_CASES = 400
_REAL = ("mistral-v0.1", "qwen2.5")


@dataclass(frozen=True, kw_only=True)
class OurStream:
    """What our stream makes of a case."""

    pieces: list[str]  # given out at each step; the last with what the end makes certain
    stop_index: int | None
    tokens: int


async def our_stream(client: SidecarClient, case: Case) -> OurStream:
    """Run a case as service.output_decoder does."""
    stream = client.open_stream(
        skip_special_tokens=case.skip_special_tokens,
        stop_strings=case.stop,
        include_stop_string=case.include_stop_string,
        context_token_ids=case.context,
        min_tokens=case.min_tokens,
    )
    pieces, tokens = [], 0
    for number, chunk in enumerate(case.chunks, 1):
        is_last = number == len(case.chunks)
        leaves_one_out = is_last and case.ends_with_stop_token and not case.include_stop_string
        found = await stream.append(chunk[:-1] if leaves_one_out else chunk)
        pieces.append(found.text)
        if found.stop_index is not None:
            stream.close()
            return OurStream(
                pieces=pieces, stop_index=found.stop_index, tokens=tokens + found.tokens_used
            )
        tokens += len(chunk)
    rest = await stream.flush()
    pieces[-1] += rest.text
    return OurStream(pieces=pieces, stop_index=rest.stop_index, tokens=tokens)


def assert_same(case: Case, ours: OurStream, theirs: VllmStream) -> None:
    """Assert that a case ends as vLLM ends it, and that nothing was given out too soon."""
    whole = "".join(theirs.pieces)
    assert "".join(ours.pieces) == whole, case
    assert (None if ours.stop_index is None else case.stop[ours.stop_index]) == theirs.stop, case
    assert ours.tokens == theirs.tokens, case
    assert len(ours.pieces) == len(theirs.pieces), case
    given, given_by_vllm = "", ""
    for piece, vllm_piece in zip(ours.pieces, theirs.pieces, strict=True):
        given += piece
        given_by_vllm += vllm_piece
        assert whole.startswith(given), case
        assert len(given) >= len(given_by_vllm), case
    if not case.include_stop_string:
        assert_beginnings_are_held(case, ours.pieces[:-1], theirs.texts)


def assert_beginnings_are_held(case: Case, pieces: list[str], texts: list[str]) -> None:
    """Assert that what may become a stop string was not given out: `texts` grew as vLLM's did."""
    for given, text in zip(itertools.accumulate(pieces), texts, strict=False):
        held = len(text) - len(given)
        for stop in case.stop:
            beginnings = range(held + 1, len(stop))
            assert not any(text.endswith(stop[:size]) for size in beginnings), (case, text, held)


async def compare(path: Path, socket: Path) -> None:
    """Compare all cases on one tokenizer."""
    from tests.conformance.streams.vllm_stream import stream

    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(path))
    random_ = random.Random(6)
    cases: list[Case] = []
    for case in random_cases(tokenizer.backend_tokenizer, _CASES, random_):
        whole = "".join(stream(tokenizer, case).pieces)
        cases.append(case.with_stops(whole, random_) if random_.random() < 0.8 else case)
    with connect(path, socket):
        client = SidecarClient(f"unix:{socket}", local_socket=local_socket(socket))
        ours = await asyncio.gather(*(our_stream(client, case) for case in cases))
        await client.close()
    stopped = 0
    for case, our in zip(cases, ours, strict=True):
        theirs = stream(tokenizer, case)
        assert_same(case, our, theirs)
        stopped += theirs.stop is not None
    assert _CASES // 5 < stopped < _CASES


@pytest.mark.parametrize("name", MADE)
async def test_made_vocabulary(name: str, tmp_path: Path) -> None:
    """Of every kind of tokenizer, with ids that mostly make no sense."""
    path = tmp_path / "tokenizer.json"
    write(name, path)

    await compare(path, tmp_path / "s")


@pytest.mark.parametrize("name", _REAL)
async def test_real_vocabulary(name: str, tmp_path: Path) -> None:
    """Of models: Llama-2's kind, and byte-level."""
    try:
        path = real_vocabularies()[name].fetch()
    except FetchError as exc:
        warnings.warn(f"NOT TESTED against the real {name}: {exc}", stacklevel=1)
        pytest.skip(str(exc))

    await compare(path, tmp_path / "s")
