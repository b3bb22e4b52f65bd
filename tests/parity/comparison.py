"""One vocabulary through the running sidecar and through Hugging Face `tokenizers`, side by side.

What must be equal:

* the ids of every text, with and without special tokens;
* the spans. Ours are exact to the byte and not trimmed; so the reference runs without its
  post-processor, and both are widened to whole characters;
* the ids where parts of the text are literal: those of a reference in which the true added tokens
  have other names, so that it finds no added token in the parts;
* the text of ids, with and without special tokens, whole, token by token and in random pieces; of
  the last two what Hugging Face's DecodeStream gives out, begun again where it fails.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tokenizers import Tokenizer

from tests.parity.inputs import Inputs
from tests.unit.tokenizer.reference_stream import step_texts
from tests.unit.tokenizer.running_sidecar import Sidecar
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

T = TypeVar("T")
_BATCH = 300
_SHOWN = 3
_SHOWN_CHARACTERS = 400
# Private characters that no text of ours has: the other names of added tokens.
_NAMES = ("\U0010fff0", "\U0010fff1", "\U0010fff2")


@dataclass
class Differences:
    """How much was compared, and what differed."""

    compared: Counter[str] = field(default_factory=Counter)
    differing: Counter[str] = field(default_factory=Counter)
    first: list[str] = field(default_factory=list)

    def compare(self, kind: str, given: object, expected: object, actual: object) -> None:
        """Count one comparison, and keep the first differences of each kind to be shown."""
        self.compared[kind] += 1
        if expected == actual:
            return
        self.differing[kind] += 1
        if self.differing[kind] <= _SHOWN:
            lines = (("of", given), ("expected", expected), ("actual", actual))
            shown = (f"    {name}: {ascii(value)[:_SHOWN_CHARACTERS]}" for name, value in lines)
            self.first.append("\n".join((f"  {kind}", *shown)))


class Comparison:
    """All comparisons for one vocabulary."""

    def __init__(self, sidecar: Sidecar, path: Path) -> None:
        self._stub = sidecar.stub
        self._reference = _whole(sidecar.reference)
        self._bare = _whole(Tokenizer.from_file(str(path)))
        self._bare.post_processor = None  # type: ignore[assignment]
        self._renamed, self._names = _with_other_names(path, self._reference)
        self.differences = Differences()

    def run(self, inputs: Inputs) -> Differences:
        """Compare everything."""
        encoded = self._compare_texts(inputs.texts)
        self._compare_literal_parts(inputs.literal_parts)
        # Text that was encoded, and what no encoder gives.
        for skip in (False, True):
            self._compare_decoding(encoded, skip=skip)
            self._compare_decoding(inputs.id_lists, skip=skip)
        self._compare_single_ids(inputs.single_ids)
        return self.differences

    def _compare_texts(self, texts: Sequence[str]) -> list[list[int]]:
        plain = [pb.EncodeRequest(text=text.encode(), include_token_spans=True) for text in texts]
        special = [pb.EncodeRequest(text=text.encode(), add_special_tokens=True) for text in texts]
        expected_plain = self._reference.encode_batch(texts, add_special_tokens=False)
        expected_special = self._reference.encode_batch(texts, add_special_tokens=True)
        expected_bare = self._bare.encode_batch(texts, add_special_tokens=False)
        compare = self.differences.compare
        for text, expected, bare, actual in zip(
            texts, expected_plain, expected_bare, self._encode(plain), strict=True
        ):
            compare("ids", text, expected.ids, list(actual.token_ids))
            compare(
                "spans",
                text,
                _expected_spans(text, bare.offsets),
                _spans_in_characters(text, actual.token_spans),
            )
        for text, expected, actual in zip(
            texts, expected_special, self._encode(special), strict=True
        ):
            compare("ids with special tokens", text, expected.ids, list(actual.token_ids))
        return [encoding.ids for encoding in expected_special]

    def _compare_literal_parts(self, literal_parts: Sequence[Sequence[str]]) -> None:
        """Compare texts of literal parts with true added tokens between them."""
        names = itertools.cycle(self._names.items())
        requests, renamed = [], []
        for parts in literal_parts:
            request = pb.EncodeRequest(text=parts[0].encode())
            request.literal_spans.add(begin=0, end=len(request.text))
            other = parts[0]
            for part in parts[1:]:
                name, (content, _) = next(names, ("", ("", 0)))
                begin = len(request.text) + len(content.encode())
                request.text += content.encode() + part.encode()
                request.literal_spans.add(begin=begin, end=len(request.text))
                other += name + part
            requests.append(request)
            renamed.append(other)
        ids = {self._renamed.token_to_id(name): id_ for name, (_, id_) in self._names.items()}
        for request, expected, actual in zip(
            requests, self._renamed.encode_batch(renamed), self._encode(requests), strict=True
        ):
            expected_ids = [ids.get(id_, id_) for id_ in expected.ids]
            self.differences.compare(
                "literal parts", request.text.decode(), expected_ids, list(actual.token_ids)
            )

    def _compare_decoding(self, id_lists: Sequence[list[int]], *, skip: bool) -> None:
        random_ = random.Random(5)
        compare = self.differences.compare
        wholes = self._reference.decode_batch(id_lists, skip_special_tokens=skip)
        for ids, whole in zip(id_lists, wholes, strict=True):
            actual = self._stub.Decode(pb.DecodeRequest(token_ids=ids, skip_special_tokens=skip))
            compare(f"decode, skip={skip}", ids, whole, actual.text)
        one_by_one = self._stream(([[i] for i in ids] for ids in id_lists), skip=skip)
        in_pieces = self._stream((list(_pieces(ids, random_)) for ids in id_lists), skip=skip)
        for ids, singly, pieces in zip(id_lists, one_by_one, in_pieces, strict=True):
            steps = "".join(step_texts(self._reference, ids, skip=skip))
            compare(f"stream one by one, skip={skip}", ids, steps, singly)
            compare(f"stream in pieces, skip={skip}", ids, steps, pieces)

    def _compare_single_ids(self, ids: Sequence[int]) -> None:
        actual = self._stream(([[i]] for i in ids), skip=False)
        for id_, streamed in zip(ids, actual, strict=True):
            (expected,) = step_texts(self._reference, [id_], skip=False)
            self.differences.compare("an id alone", id_, expected, streamed)

    def _encode(self, requests: Sequence[pb.EncodeRequest]) -> Iterator[pb.EncodeResponse]:
        for batch in _batches(requests):
            yield from self._stub.EncodeBatch(pb.EncodeBatchRequest(requests=batch)).responses

    def _stream(self, streams: Iterable[list[list[int]]], *, skip: bool) -> Iterator[str]:
        """Decode each list of pieces as one stream; yield its texts, joined."""
        batches = list(_batches(streams))
        responses = self._stub.StreamDecode(
            pb.StreamDecodeRequest(
                operations=[op for n, pieces in enumerate(batch) for op in _life(n, pieces, skip)]
            )
            for batch in batches
        )
        for batch, response in zip(batches, responses, strict=True):
            texts = (result.text + result.failure.message for result in response.results)
            for pieces in batch:
                yield "".join(itertools.islice(texts, len(pieces) + 2))


def _life(stream_id: int, pieces: list[list[int]], skip: bool) -> Iterator[pb.StreamOperation]:
    yield pb.StreamOperation(stream_id=stream_id, open=pb.OpenStream(skip_special_tokens=skip))
    for piece in pieces:
        yield pb.StreamOperation(stream_id=stream_id, append=pb.AppendTokens(token_ids=piece))
    yield pb.StreamOperation(stream_id=stream_id, close=pb.CloseStream())


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch


def _pieces(ids: list[int], random_: random.Random) -> Iterator[list[int]]:
    begin = 0
    while begin < len(ids):
        end = begin + random_.randint(1, 5)
        yield ids[begin:end]
        begin = end


def _whole(tokenizer: Tokenizer) -> Tokenizer:
    """Switch off what depends on the length of a text: that is the server's business."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _with_other_names(
    path: Path, reference: Tokenizer
) -> tuple[Tokenizer, dict[str, tuple[str, int]]]:
    """Load a tokenizer whose only added tokens are some of the true ones, under other names.

    Return it, and for each name the true content and id.
    """
    chosen = [
        (token.content, id_)
        for id_, token in sorted(reference.get_added_tokens_decoder().items())
        if not (token.normalized or token.lstrip or token.rstrip or token.single_word)
    ]
    names = dict(zip(_NAMES, chosen, strict=False))
    document = json.loads(path.read_text())
    flags = dict.fromkeys(("normalized", "lstrip", "rstrip", "single_word"), False)
    document["added_tokens"] = [
        {"id": id_, "content": name, "special": True, **flags} for name, (_, id_) in names.items()
    ]
    document.update(post_processor=None, truncation=None, padding=None)
    return Tokenizer.from_str(json.dumps(document)), names


def _expected_spans(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the reference's offsets, but for one of its oddities.

    An empty span at the very end of a text is given in bytes, all others in characters.
    """
    end = len(text.encode())
    return [(len(text), len(text)) if span == (end, end) else span for span in offsets]


def _spans_in_characters(text: str, spans: Iterable[pb.ByteSpan]) -> list[tuple[int, int]]:
    """Widen spans of bytes to whole characters."""
    characters = [n for n, c in enumerate(text) for _ in c.encode()]
    characters.append(len(text))
    return [
        (
            characters[span.begin],
            characters[span.begin if span.begin == span.end else span.end - 1]
            + (span.begin != span.end),
        )
        for span in spans
    ]
