"""`triptych doctor` tells how the memory of a running server is split."""

from __future__ import annotations

import json

import grpc
import pytest

from service.cli.exit_codes import ExitCode
from service.cli.memory_advice import in_words
from tests.end_to_end.conftest import RunningServer
from tests.unit.cli.command_line import run
from triptych.v1 import model_service_pb2, model_service_pb2_grpc


def test_a_running_server_is_looked_at(
    server: RunningServer, channel: grpc.Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    """The figures are those of GetModel; a context of 2048 tokens fits 1 GiB of cache often."""
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    memory = stub.GetModel(model_service_pb2.GetModelRequest()).model.memory
    assert run("doctor", "--target", server.application.address, "--json") == ExitCode.OK
    report = json.loads(capsys.readouterr().out)
    found = {check["name"]: check["found"] for check in report["checks"]}

    assert report["ok"] is True
    assert found["model"] == "demo (Qwen2_5OmniModel)"
    assert found["weights"].startswith(f"{in_words(memory.weights_bytes)} in bfloat16")
    tokens = memory.kv_cache_bytes // memory.kv_cache_bytes_per_token
    requests = tokens / 2048
    assert found["KV cache"] == (
        f"{in_words(memory.kv_cache_bytes)}, {tokens:,} tokens of "
        f"{in_words(memory.kv_cache_bytes_per_token)}: {requests:,.1f} requests of full length "
        "(2,048 tokens)"
    )
    assert f"{2 * requests:,.1f} requests of that length fit" in found["max_model_len"]
