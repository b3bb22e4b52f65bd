"""SentencePiece models with every option, against the sentencepiece package."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from tests.unit.tokenizer.hard_texts import PIECES, random_texts
from tests.unit.tokenizer.running_sidecar import connect
from triptych.sidecar.v1 import tokenizer_service_pb2 as pb
from triptych.sidecar.v1 import tokenizer_service_pb2_grpc as pb_grpc

SPACES = [text for n in range(20) for text in (" " * n, "▁" * n, f"a{' ' * n}b")]
TEXTS = [*PIECES, *random_texts(400, ["<s>", "<unk>"]), *SPACES, "⁇", "<0x41>", "a" * 3000]
OPTIONS: list[dict[str, object]] = [
    {},
    {
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "remove_extra_whitespaces": False,
    },
    {
        "byte_fallback": True,
        "normalization_rule_name": "nfkc_cf",
        "user_defined_symbols": ["<sep>", "ab", "▁▁▁", "the", "Å", "  "],
    },
    {"add_dummy_prefix": False, "normalization_rule_name": "nfkc"},
    {"byte_fallback": True, "treat_whitespace_as_suffix": True},
    {"normalization_rule_name": "nmt_nfkc_cf", "control_symbols": ["[INST]"]},
]


def train(path: Path, **options: object) -> SentencePieceProcessor:
    """Train a small model, always the same for the same options."""
    lines = [*PIECES, *random_texts(1500, seed=7), "the there then than this that"]
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in lines for line in text.split("\n")]),
        model_writer=model,
        vocab_size=2500,
        hard_vocab_limit=False,
        character_coverage=0.98,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    path.write_bytes(model.getvalue())
    return SentencePieceProcessor(model_proto=model.getvalue())


def encode(stub: pb_grpc.TokenizerServiceStub, texts: list[str], **fields: bool) -> list[list[int]]:
    """Return the ids of texts in which no special tokens are looked for."""
    requests = [
        pb.EncodeRequest(
            text=text.encode(),
            literal_spans=[pb.ByteSpan(begin=0, end=len(text.encode()))] if text else [],
            **fields,
        )
        for text in texts
    ]
    batch = stub.EncodeBatch(pb.EncodeBatchRequest(requests=requests))
    return [list(response.token_ids) for response in batch.responses]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("model_type", ["bpe", "unigram"])
def test_ids(binary: Path, tmp_path: Path, model_type: str, options: dict[str, object]) -> None:
    """Each type of model with each option gives SentencePiece's ids, and the text comes back."""
    assert binary.exists()
    path = tmp_path / "tokenizer.model"
    reference = train(path, model_type=model_type, **options)
    with connect(tmp_path, tmp_path / "s") as stub:
        ids = encode(stub, TEXTS)
        for text, expected, actual in zip(TEXTS, reference.encode(TEXTS), ids, strict=True):
            assert expected == actual, ascii(text)
        for text in ("the thing", "é 你好 \U0001f600", "a b  c"):
            known = [i for i in reference.encode(text) if i != reference.unk_id()]
            decoded = stub.Decode(pb.DecodeRequest(token_ids=known)).text
            assert reference.decode(known) == decoded


def test_special_tokens(binary: Path, tmp_path: Path) -> None:
    """Control pieces are special tokens; what goes around a text is in tokenizer_config.json."""
    assert binary.exists()
    reference = train(tmp_path / "tokenizer.model", model_type="bpe")
    config = {"add_bos_token": True, "add_eos_token": True, "clean_up_tokenization_spaces": False}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    with connect(tmp_path, tmp_path / "s") as stub:
        expected = reference.encode("the", add_bos=True, add_eos=True)
        assert [expected] == encode(stub, ["the"], add_special_tokens=True)
        assert [reference.encode("the")] == encode(stub, ["the"])
        response = stub.Encode(pb.EncodeRequest(text=b"the</s>"))
        assert [*reference.encode("the"), reference.eos_id()] == list(response.token_ids)


@pytest.mark.parametrize("model_type", ["char", "word"])
def test_other_types_are_refused(binary: Path, tmp_path: Path, model_type: str) -> None:
    """Models that are neither BPE nor Unigram are told apart."""
    assert binary.exists()
    train(tmp_path / "tokenizer.model", model_type=model_type)
    with (
        pytest.raises(ValueError, match=r"trainer_spec: model_type \d is not supported yet"),
        connect(tmp_path, tmp_path / "s"),
    ):
        pass


def test_a_broken_model_is_an_error(binary: Path, tmp_path: Path) -> None:
    """A model that was cut short is told; sentence_piece_parser_test.cc breaks more."""
    assert binary.exists()
    path = tmp_path / "tokenizer.model"
    train(path, model_type="unigram")
    model = path.read_bytes()
    for size in (20, len(model) // 2, len(model) - 1):
        path.write_bytes(model[:size])
        with (
            pytest.raises(ValueError, match="is not a protobuf message"),
            connect(path, tmp_path / "s"),
        ):
            pass
