"""`triptych render`, against a server that has one prompt."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest

from service.cli.exit_codes import ExitCode
from service.cli.render_output import coloured_prompt
from tests.unit.cli.command_line import run
from tests.unit.client.fake_server import Failure
from triptych.v1 import conversation_pb2
from triptych.v1 import tokenizer_service_pb2 as pb
from triptych.v1 import tokenizer_service_pb2_grpc as pb_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
FIELD = "conversation.messages[0].parts[0].image"
MARK = "<image>"
TEXT = f"USER: {MARK}\nWas heißt das?\nASSISTANT:"
AT = TEXT.index(MARK)
WRITTEN = "Was heißt das?"
BEFORE = len(TEXT[: TEXT.index(WRITTEN)].encode())


def prompt(**limits: tuple[int, int]) -> pb.RenderPromptResponse:
    """Return one with a picture; `limits` are what is allowed, and what it has."""
    return pb.RenderPromptResponse(
        text=TEXT,
        token_ids=range(70),
        placeholders=[
            pb.PlaceholderSpan(
                field=FIELD,
                offset=3,
                length=64,
                text_span=pb.TextSpan(start_byte=AT, end_byte=AT + len(MARK)),
            )
        ],
        literal_spans=[
            pb.TextSpan(start_byte=BEFORE, end_byte=BEFORE + len(WRITTEN.encode())),
        ],
        limits=[
            pb.PromptLimit(name=name, limit=limit, actual=actual)
            for name, (limit, actual) in limits.items()
        ],
        prompt_format="llava",
    )


class PromptServer(pb_grpc.TokenizerServiceServicer):
    """Answers every question with `answer`, and keeps them."""

    def __init__(self) -> None:
        self.answer: pb.RenderPromptResponse | Failure = prompt(max_model_tokens=(2047, 70))
        self.asked: list[pb.RenderPromptRequest] = []
        self.target = ""

    def RenderPrompt(  # noqa: N802  # gRPC's name
        self, request: pb.RenderPromptRequest, context: grpc.ServicerContext
    ) -> pb.RenderPromptResponse:
        self.asked.append(request)
        if isinstance(self.answer, Failure):
            context.abort_with_status(self.answer.to_status())
        return self.answer


@pytest.fixture
def server() -> Iterator[PromptServer]:
    """Listen for one test."""
    servicer = PromptServer()
    server = grpc.server(ThreadPoolExecutor(max_workers=1))
    pb_grpc.add_TokenizerServiceServicer_to_server(servicer, server)
    servicer.target = f"localhost:{server.add_insecure_port('localhost:0')}"
    server.start()
    yield servicer
    server.stop(None).wait()


def test_the_prompt_goes_to_stdout_and_its_size_to_stderr(
    server: PromptServer, capsys: Capture
) -> None:
    """Without a terminal there is no colour; each medium has its tokens behind it."""
    code = run("render", "--target", server.target, "what?")
    out, err = capsys.readouterr()

    assert code == ExitCode.OK
    assert out == TEXT.replace(MARK, f"{MARK}⟨64 tokens⟩") + "\n"
    assert err == f"70 tokens of 2047, format llava\n  {FIELD}: 64 tokens, from 3 on\n"


def test_the_question_is_sent_as_chat_sends_it(server: PromptServer, tmp_path: Path) -> None:
    """System message first, media before the text."""
    (tmp_path / "1.png").write_bytes(b"pixels")
    image = str(tmp_path / "1.png")
    run("render", "--target", server.target, "what?", "--image", image, "--system", "be short")
    (asked,) = server.asked
    system, user = asked.request.conversation.messages

    assert (system.role, system.parts[0].text) == (conversation_pb2.ROLE_SYSTEM, "be short")
    assert user.parts[0].image.source.data == b"pixels"
    assert user.parts[1].text == "what?"
    assert not asked.request.HasField("sampling")


def test_a_broken_limit_is_told_and_fails(server: PromptServer, capsys: Capture) -> None:
    """The prompt is shown all the same."""
    server.answer = prompt(max_model_tokens=(64, 70), image_parts=(1, 1))
    code = run("render", "--target", server.target, "what?")
    out, err = capsys.readouterr()

    assert code == ExitCode.FAILED
    assert out.startswith("USER: ")
    assert err.splitlines()[-1] == "too much: max_model_tokens is 64, this has 70"


def test_json_is_the_whole_answer(server: PromptServer, capsys: Capture) -> None:
    """One object, with the names of the proto."""
    code = run("render", "--target", server.target, "--json", "what?")
    out, err = capsys.readouterr()
    shown = json.loads(out)

    assert (code, err) == (ExitCode.OK, "")
    assert shown["token_ids"] == list(range(70))
    assert shown["placeholders"][0]["text_span"] == {"start_byte": AT, "end_byte": AT + len(MARK)}


def test_a_terminal_gets_colours(server: PromptServer) -> None:
    """Format, user and medium each have their own; without them the text is the same."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "tests.unit.cli.command_line"]
    words = ["render", "--target", server.target, "what?"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    subprocess.run([*command, *words], stdout=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 2**16).decode().replace("\r\n", "\n")
    os.close(ours)
    colour = r"\x1b\[[\d;]+m"

    assert re.sub(colour, "", shown) == TEXT.replace(MARK, f"{MARK}⟨64 tokens⟩") + "\n"
    before = {
        piece: re.findall(rf"({colour}){piece}", shown) for piece in ("USER: ", MARK, WRITTEN)
    }
    assert len({colours[0] for colours in before.values()}) == 3


def test_a_place_that_is_not_known_is_not_marked(server: PromptServer) -> None:
    """Then only its line on stderr tells of it."""
    rendered = prompt()
    rendered.placeholders[0].ClearField("text_span")

    assert coloured_prompt(rendered) == TEXT


def test_control_characters_of_a_prompt_do_not_reach_a_terminal() -> None:
    """A user may have written them."""
    rendered = pb.RenderPromptResponse(text="a\x1b[2Jb\n")

    assert coloured_prompt(rendered) == "a\N{REPLACEMENT CHARACTER}[2Jb\n"


def test_a_refusal_names_field_and_cure(server: PromptServer, capsys: Capture) -> None:
    """As `chat` tells it."""
    server.answer = Failure(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"{FIELD}: no image",
        "MEDIA_UNDECODABLE",
        violations=[(FIELD, "no image")],
    )
    code = run("render", "--target", server.target, "what?")
    out, err = capsys.readouterr()

    assert (code, out) == (ExitCode.FAILED, "")
    assert err.startswith(f"triptych render: {FIELD}: no image\ncheck that the file is whole")


def test_no_server_and_no_file_have_codes_of_their_own(
    server: PromptServer, capsys: Capture
) -> None:
    """So that scripts can tell them apart."""
    assert run("render", "--target", "localhost:1", "what?") == ExitCode.UNREACHABLE
    missing = run("render", "--target", server.target, "--image", "/no/such.png", "what?")
    assert missing == ExitCode.USAGE
    assert run("render", "--target", server.target, "\udcff") == ExitCode.USAGE
    assert "triptych render: " in capsys.readouterr().err
