"""The seeds of service_fuzz, frames_fuzz and files_fuzz: messages, and tokens with ranks."""

from __future__ import annotations

import base64
import json

from piece_files import piece_models
from tokenizer_files import QWEN2

from triptych.sidecar.v1 import tokenizer_service_pb2 as pb

# The places of the rpcs in service_fuzz.cc.
ENCODE, ENCODE_BATCH, DECODE, STREAM_DECODE, STREAM_ENCODE, GET_INFO = range(6)


def unary_inputs() -> dict[str, bytes]:
    """Return inputs with one message."""
    text = "the <s>cat caf\u00e9<|end|>".encode()
    spans = [pb.ByteSpan(begin=0, end=4), pb.ByteSpan(begin=4, end=7)]
    whole = pb.EncodeRequest(
        text=text, literal_spans=spans, add_special_tokens=True, include_token_spans=True
    )
    bad = [
        pb.EncodeRequest(text=b"\xff"),
        pb.EncodeRequest(text=text, literal_spans=[pb.ByteSpan(begin=9, end=2)]),
        pb.EncodeRequest(text=b"a" * 2_001),
    ]
    messages = {
        "encode": (ENCODE, whole),
        "encode_nothing": (ENCODE, pb.EncodeRequest()),
        **{f"encode_bad_{i}": (ENCODE, one) for i, one in enumerate(bad)},
        "batch": (ENCODE_BATCH, pb.EncodeBatchRequest(requests=[whole, whole])),
        "batch_bad": (ENCODE_BATCH, pb.EncodeBatchRequest(requests=[whole, *bad])),
        "batch_large": (ENCODE_BATCH, pb.EncodeBatchRequest(requests=[pb.EncodeRequest()] * 9)),
        "decode": (DECODE, pb.DecodeRequest(token_ids=[0, 1, 97, 270], skip_special_tokens=True)),
        "decode_bad": (DECODE, pb.DecodeRequest(token_ids=[2**32 - 1])),
        "info": (GET_INFO, pb.GetInfoRequest()),
    }
    return {
        name: bytes([ord("a"), rpc]) + message.SerializeToString()
        for name, (rpc, message) in messages.items()
    }


def streams() -> dict[str, tuple[int, list[bytes]]]:
    """Return streams: the rpc, and the messages."""

    def stream(rpc: int, *messages: object) -> tuple[int, list[bytes]]:
        return rpc, [m.SerializeToString() for m in messages]  # type: ignore[attr-defined]

    def one(stream_id: int, **operation: object) -> pb.StreamDecodeRequest:
        step = pb.StreamOperation(stream_id=stream_id, **operation)
        return pb.StreamDecodeRequest(operations=[step])

    options = pb.OpenStream(
        skip_special_tokens=True, stop_strings=["c"], context_token_ids=[70, 226], min_tokens=2
    )
    opened = one(1, open=options)
    appended = one(1, append=pb.AppendTokens(token_ids=[70, 195, 169, 300]))
    closed = one(1, close=pb.CloseStream())
    columns = pb.AppendColumns(stream_ids=[1, 1], token_counts=[1, 2], token_ids=[195, 169, 70])
    one_each = pb.AppendColumns(stream_ids=[1, 1], token_ids=[195, 169])
    uneven = pb.AppendColumns(stream_ids=[1], token_counts=[9], token_ids=[1])
    texts = [pb.EncodeRequest(text=b"the <s>"), pb.EncodeRequest(text=b"\xff")]
    return {
        "streams": stream(STREAM_DECODE, opened, appended, closed, closed),
        "columns": stream(
            STREAM_DECODE, opened, pb.StreamDecodeRequest(appends=columns, closes=[1, 2])
        ),
        "columns_of_one_each": stream(
            STREAM_DECODE, opened, pb.StreamDecodeRequest(appends=one_each)
        ),
        "columns_uneven": stream(STREAM_DECODE, opened, pb.StreamDecodeRequest(appends=uneven)),
        "not_open": stream(STREAM_DECODE, appended, one(2), opened, opened),
        "many": stream(
            STREAM_DECODE,
            pb.StreamDecodeRequest(
                operations=[pb.StreamOperation(stream_id=i, open=pb.OpenStream()) for i in range(7)]
            ),
        ),
        "texts": stream(STREAM_ENCODE, pb.StreamEncodeRequest(requests=texts)),
        "no_texts": stream(STREAM_ENCODE, pb.StreamEncodeRequest(), pb.StreamEncodeRequest()),
    }


def service_inputs() -> dict[str, bytes]:
    """Return the inputs of service_fuzz."""
    return unary_inputs() | {
        name: bytes([ord("a"), rpc])
        + b"".join(len(part).to_bytes(2, "big") + part for part in messages)
        for name, (rpc, messages) in streams().items()
    }


def frames_inputs() -> dict[str, bytes]:
    """Return the inputs of frames_fuzz: the sample's letter, and what a connection sends."""
    methods = {
        rpc: f"/triptych.sidecar.v1.TokenizerService/{name}".encode()
        for rpc, name in ((STREAM_DECODE, "StreamDecode"), (STREAM_ENCODE, "StreamEncode"))
    }
    sent = {name: [methods[rpc], *messages] for name, (rpc, messages) in streams().items()}
    sent["unknown_method"] = [methods[STREAM_DECODE].replace(b"Stream", b""), b""]
    sent["no_message"] = [methods[STREAM_ENCODE], b"", b"\xff\xff"]
    inputs = {
        name: b"a" + b"".join(len(frame).to_bytes(4, "big") + frame for frame in frames)
        for name, frames in sent.items()
    }
    inputs["cut_off"] = inputs["streams"][:-3]
    inputs["too_large"] = inputs["texts"] + b"\xff\xff\xff\xffabc"
    return inputs


def rank_files() -> dict[str, bytes]:
    """Return the inputs of files_fuzz: a letter, the file beside with its size, the file."""
    tokens = [bytes([byte]) for byte in range(256)] + [b"th", b"the", b" the", b"ab", b"xyz"]
    encoded = [base64.b64encode(token).decode() for token in tokens]
    ranks = "".join(f"{token} {rank}\n" for rank, token in enumerate(encoded)).encode()
    config = {"pat_str": QWEN2, "special_tokens": {"<s>": len(tokens), "<|end|>": len(tokens) + 2}}
    tekken = {
        "config": {
            "pattern": QWEN2,
            "num_vocab_tokens": len(tokens),
            "default_vocab_size": len(tokens) + 2,
            "default_num_special_tokens": 2,
            "version": "v11",
        },
        "vocab": [
            {"rank": rank, "token_bytes": token, "token_str": None}
            for rank, token in enumerate(encoded)
        ],
        "special_tokens": [
            {"rank": rank, "token_str": token, "is_control": True}
            for rank, token in enumerate(("<s>", "</s>"))
        ],
    }

    def together(letter: str, beside: object, main: bytes) -> bytes:
        text = b"" if beside is None else json.dumps(beside).encode()
        return letter.encode() + len(text).to_bytes(2, "big") + text + main

    small = json.dumps(tekken, separators=(",", ":")).encode()
    return {
        "tiktoken": together("t", config, ranks),
        "tiktoken_alone": together("t", None, ranks),
        "tiktoken_short": together("t", config, b"YQ== 0\nYg== 1\nYWI= 2\n"),
        "tiktoken_odd": together("t", config, b"YQ== 0\nYQ== 1\n\n= 4294967296\r\n"),
        "tekken": together("k", {"clean_up_tokenization_spaces": True}, small),
        "tekken_short": together("k", None, b'{"config":{"pattern":"a"},"vocab":[]}'),
        "model": together("m", None, b"\x0a\x0e\x0a\x05<unk>\x15\0\0\0\0\x18\x02"),
        "model_ranks": together("m", config, ranks),
        "json": together("m", None, b'{"model":{"type":"BPE","vocab":{},"merges":[]}}'),
        **{f"pieces_{name}": together("m", None, model) for name, model in piece_models().items()},
    }
