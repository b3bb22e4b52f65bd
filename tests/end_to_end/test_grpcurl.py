"""A person with `grpcurl` and no proto files."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

from tests.end_to_end.requests import MEDIA

GRPCURL = Path(__file__).resolve().parents[2] / "build" / "bin" / "grpcurl"


def grpcurl(server: Any, *arguments: str, data: str | None = None) -> str:
    """Run grpcurl against the server's Unix socket and return what it prints."""
    socket = server.application.address.removeprefix("unix:")
    command = [GRPCURL, "-plaintext"]
    if data is not None:
        command += ["-d", "@"]
    done = subprocess.run(
        [*command, f"unix://{socket}", *arguments],
        input=data,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_lists_and_describes_over_reflection(server: Any) -> None:
    """Every public service is listed, and a method can be described."""
    assert {
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "triptych.v1.EmbeddingService",
        "triptych.v1.GenerationService",
        "triptych.v1.MediaService",
        "triptych.v1.ModelService",
        "triptych.v1.TokenizerService",
    } <= set(grpcurl(server, "list").split())
    assert "stream .triptych.v1.GenerateResponse" in grpcurl(
        server, "describe", "triptych.v1.GenerationService.Generate"
    )


def test_streams_an_answer_about_a_picture(server: Any) -> None:
    """Generate over JSON streams events and ends with usage."""
    picture = base64.b64encode((MEDIA / "picture.jpg").read_bytes()).decode()
    parts = [{"image": {"source": {"data": picture}}}, {"text": "What is this?"}]
    conversation = {"messages": [{"role": "ROLE_USER", "parts": parts}]}

    printed = grpcurl(
        server,
        "triptych.v1.GenerationService/Generate",
        data=json.dumps({"conversation": conversation}),
    )

    assert '"started"' in printed
    assert '"text_delta"' in printed
    assert '"completion_tokens"' in printed
