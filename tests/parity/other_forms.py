"""Files that are no tokenizer.json, through the sidecar and through the library whose form it is.

Compared are the ids of texts in which no special tokens are looked for, and the text of those ids.
tiktoken's own library needs a pattern that its files do not have; so the reference for those is
Hugging Face's tokenizer of the same model, without its added tokens.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

from tests.parity.comparison import Differences
from tests.parity.real_vocabularies import Vocabulary, real_vocabularies
from tests.unit.tokenizer.hard_texts import chosen_texts, random_texts
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

TABLE = Path(__file__).with_name("other_forms.toml")
_FUZZ_TEXTS = 1500
_BATCH = 300


@dataclass(frozen=True)
class Reference:
    """How another library encodes and decodes."""

    encode: Callable[[str], list[int]]
    decode: Callable[[list[int]], str]


@dataclass(frozen=True, kw_only=True)
class OtherForm(Vocabulary):
    """One entry of other_forms.toml."""

    reference: str

    def load_reference(self) -> Reference:
        """Load the other library's tokenizer.

        Raises:
            FetchError: a vocabulary is the reference, and cannot be had.
        """
        if self.reference == "sentencepiece":
            processor = SentencePieceProcessor(model_file=str(self.path))
            return Reference(processor.encode, processor.decode)
        if self.reference == "mistral-common":
            tekken = Tekkenizer.from_file(self.path)
            return Reference(lambda text: tekken.encode(text, bos=False, eos=False), tekken.decode)
        document = json.loads(real_vocabularies()[self.reference].fetch().read_text())
        document.update(post_processor=None, added_tokens=[])
        same = Tokenizer.from_str(json.dumps(document))
        return Reference(lambda text: same.encode(text).ids, same.decode)


def other_forms() -> dict[str, OtherForm]:
    """Return the pinned files by name."""
    table = tomllib.loads(TABLE.read_text())
    return {name: OtherForm(name=name, **entry) for name, entry in table.items()}


def compare_form(
    stub: pb_grpc.TokenizerServiceStub, reference: Reference, limit: int | None = None
) -> Differences:
    """Compare the texts, or the first `limit` of each kind."""
    found = Differences()
    texts = [
        text for text in (*chosen_texts()[:limit], *random_texts(limit or _FUZZ_TEXTS)) if text
    ]
    for begin in range(0, len(texts), _BATCH):
        batch = texts[begin : begin + _BATCH]
        requests = [pb.EncodeRequest(text=text.encode()) for text in batch]
        for request in requests:
            request.literal_spans.add(begin=0, end=len(request.text))
        responses = stub.EncodeBatch(pb.EncodeBatchRequest(requests=requests)).responses
        for text, response in zip(batch, responses, strict=True):
            ids = list(response.token_ids)
            found.compare("ids", text, reference.encode(text), ids)
            decoded = stub.Decode(pb.DecodeRequest(token_ids=ids)).text
            found.compare("decode", ids, reference.decode(ids), decoded)
    return found
