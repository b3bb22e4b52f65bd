"""`triptych chat`, against a scripted server."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import grpc
import pytest

from service.cli import call_problem
from service.cli.chat_output import usage_line
from service.cli.client_call import for_terminal
from service.cli.exit_codes import ExitCode
from tests.unit.cli.command_line import run
from tests.unit.client.fake_server import Failure, Hang, answer, completed, delta, started
from triptych.v1 import conversation_pb2, error_reason_pb2, generation_service_pb2

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.client.fake_server import FakeServer

Capture = pytest.CaptureFixture[str]
IMAGE = "conversation.messages[0].parts[0].image"


def test_the_answer_goes_to_stdout_and_the_usage_to_stderr(
    server: FakeServer, capsys: Capture
) -> None:
    """A pipe gets the answer alone; without a TTY there is no spinner."""
    server.script = answer("a ", "cat")
    code = run("chat", "--target", server.target, "what?")
    out, err = capsys.readouterr()

    assert code == ExitCode.OK
    assert out == "a cat\n"
    assert err == "prompt 12 tokens (text 3, image 9), answer 2 tokens in 1.25 s\n"


def test_parts_go_in_the_order_of_the_command_line(server: FakeServer, tmp_path: Path) -> None:
    """Media keep their order and the text is last, wherever it stands."""
    for name in ("1.png", "2.wav", "3.mp4", "4.png"):
        (tmp_path / name).write_bytes(name.encode())
    media = ["--image=1.png", "--audio=2.wav", "--video=3.mp4", "--image=4.png"]
    words = [word.replace("=", f"={tmp_path}/") for word in media]
    run("chat", "--target", server.target, *words[:2], "what?", *words[2:], "--system", "be short")
    system, user = server.request.conversation.messages

    assert system.role == conversation_pb2.ROLE_SYSTEM
    assert system.parts[0].text == "be short"
    assert user.role == conversation_pb2.ROLE_USER
    assert [part.WhichOneof("kind") for part in user.parts] == [
        "image",
        "audio",
        "video",
        "image",
        "text",
    ]
    assert user.parts[0].image.source.data == b"1.png"
    assert user.parts[3].image.source.data == b"4.png"
    assert user.parts[4].text == "what?"


def test_a_url_is_left_to_the_server(server: FakeServer) -> None:
    """Nothing is read here."""
    run("chat", "--target", server.target, "--image", "https://example.com/a.png", "what?")

    source = server.request.conversation.messages[0].parts[0].image.source
    assert (source.WhichOneof("source"), source.url) == ("url", "https://example.com/a.png")


def test_options_that_are_not_given_stay_unset(server: FakeServer) -> None:
    """A plain question sets no sampling; a temperature of 0 is sent."""
    run("chat", "--target", server.target, "what?")
    run("chat", "--target", server.target, "--temperature=0", "--max-tokens=5", "what?")
    plain, chosen = server.requests

    assert plain.sampling.ListFields() == []
    assert chosen.sampling.HasField("temperature")
    assert chosen.sampling.max_tokens == 5


def test_a_dash_reads_the_question_from_stdin(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last newline, which shells add, is left out."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("two\nlines\n"))
    run("chat", "--target", server.target, "-")

    assert server.request.conversation.messages[0].parts[0].text == "two\nlines"


def test_json_prints_one_event_a_line(server: FakeServer, capsys: Capture) -> None:
    """Each line has the field names of the proto, and characters stay readable."""
    server.script = answer("é\n")
    code = run("chat", "--target", server.target, "--json", "what?")
    lines = capsys.readouterr().out.splitlines()

    assert code == ExitCode.OK
    assert [next(iter(json.loads(line))) for line in lines] == [
        "started",
        "text_delta",
        "output_finished",
        "completed",
    ]
    assert json.loads(lines[0])["started"]["prompt_tokens"] == 12
    assert "é" in lines[1]


def test_a_refusal_tells_field_problem_and_cure(server: FakeServer, capsys: Capture) -> None:
    """The server's words come first, then what to do."""
    server.script = [
        Failure(
            grpc.StatusCode.INVALID_ARGUMENT,
            "ignored",
            "MEDIA_UNDECODABLE",
            violations=[(IMAGE, "no readable image")],
        )
    ]
    code = run("chat", "--target", server.target, "what?")
    out, err = capsys.readouterr()

    assert code == ExitCode.FAILED
    assert out == ""
    assert f"{IMAGE}: no readable image\n" in err
    assert "check that the file is whole" in err


def test_a_defect_tells_the_request_id(server: FakeServer, capsys: Capture) -> None:
    """An operator can find it in the log."""
    metadata = {"request_id": "r-7"}
    server.script = [Failure(grpc.StatusCode.INTERNAL, "internal error", "INTERNAL", metadata)]
    code = run("chat", "--target", server.target, "what?")

    assert code == ExitCode.FAILED
    assert "internal error\nrequest id: r-7\n" in capsys.readouterr().err


def test_a_failure_after_text_ends_the_line_first(server: FakeServer, capsys: Capture) -> None:
    """What came is kept; an engine that is away is a refusal with a time to wait."""
    failure = Failure(
        grpc.StatusCode.UNAVAILABLE, "engine died", "ENGINE_UNAVAILABLE", retry_after_s=2.5
    )
    server.script = [started(), delta("re"), failure]
    code = run("chat", "--target", server.target, "what?")
    out, err = capsys.readouterr()

    assert code == ExitCode.FAILED
    assert out == "re\n"
    assert "engine died" in err
    assert "retry in 2.5 s" in err


def test_another_service_at_the_target_is_told(server: FakeServer, capsys: Capture) -> None:
    """A method that is not there has no reason; the cure is the target."""
    server.script = [Failure(grpc.StatusCode.UNIMPLEMENTED, "method not found")]
    code = run("chat", "--target", server.target, "what?")

    assert code == ExitCode.FAILED
    assert "check --target" in capsys.readouterr().err


def test_no_server_tells_how_to_start_one(capsys: Capture) -> None:
    """Exit code 3 tells scripts apart a refusal and no server."""
    code = run("chat", "--target", "localhost:1", "what?")
    err = capsys.readouterr().err

    assert code == ExitCode.UNREACHABLE
    assert "no server answers at localhost:1" in err
    assert "triptych serve" in err


def test_a_missing_file_is_a_usage_error(server: FakeServer, capsys: Capture) -> None:
    """Nothing is sent."""
    code = run("chat", "--target", server.target, "--image", "nothing.png", "what?")

    assert code == ExitCode.USAGE
    assert "cannot read the image nothing.png" in capsys.readouterr().err
    assert server.requests == []


def test_a_missing_text_is_a_usage_error(capsys: Capture) -> None:
    """Argparse tells what is missing, with the same exit code."""
    with pytest.raises(SystemExit) as caught:
        run("chat")

    assert caught.value.code == ExitCode.USAGE
    assert "TEXT" in capsys.readouterr().err


def start_chat(*words: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Run the command as a process of its own."""
    command = [sys.executable, "-m", "tests.unit.cli.command_line", "chat", *words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(  # our own command
        command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
    )


def test_ctrl_c_cancels_the_call(server: FakeServer) -> None:
    """The server sees the end, the terminal no traceback."""
    server.script = [started(), delta("re"), Hang()]
    with start_chat("--target", server.target, "what?") as process:
        assert process.stdout is not None
        first = process.stdout.read(2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert first == "re"
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in err
    assert server.was_left.wait(10)


def test_a_closed_stdout_cancels_the_call(server: FakeServer) -> None:
    """`triptych chat ... | head -1` ends like other programs do."""
    server.script = [started(), delta("re"), *[delta("d" * 2**16)] * 8, Hang()]
    with start_chat("--target", server.target, "what?") as process:
        assert process.stdout is not None
        process.stdout.read(2)
        process.stdout.close()
        assert process.stderr is not None
        err = process.stderr.read()

    assert process.wait(30) == ExitCode.READER_GONE
    assert "Traceback" not in err
    assert server.was_left.wait(10)


def test_a_terminal_gets_a_spinner_until_the_first_token(server: FakeServer) -> None:
    """With a TTY as stderr the wait is shown; stdout stays the answer alone."""
    server.script = answer("red")
    ours, theirs = pty.openpty()
    with start_chat("--target", server.target, "what?", stderr=theirs) as process:
        out, _ = process.communicate(timeout=30)
    os.close(theirs)
    shown = os.read(ours, 2**16).decode()
    os.close(ours)

    assert out == "red\n"
    assert "waiting for the first token" in shown
    assert shown.rstrip().endswith("answer 2 tokens in 1.25 s")


def test_control_characters_do_not_reach_a_terminal() -> None:
    """Newlines and tabs stay; what moves the cursor does not."""
    mark = "\N{REPLACEMENT CHARACTER}"

    assert for_terminal("a\tb\n\x1b[2Jé\x9b") == f"a\tb\n{mark}[2Jé{mark}"


def test_the_usage_line_names_only_what_was_there() -> None:
    """Kinds without tokens are left out."""
    line = usage_line(completed().completed)
    bare = usage_line(generation_service_pb2.Completed())

    assert line == "prompt 12 tokens (text 3, image 9), answer 2 tokens in 1.25 s"
    assert bare == "prompt 0 tokens, answer 0 tokens in 0.00 s"


def test_every_reason_has_a_cure() -> None:
    """No refusal leaves a person without advice."""
    names = {name.removeprefix("ERROR_REASON_") for name, _ in error_reason_pb2.ErrorReason.items()}

    assert set(call_problem.CURES) == names - {"UNSPECIFIED"}


def test_the_spinner_stands_still_after_the_first_token(server: FakeServer) -> None:
    """It never draws over the answer."""
    server.script = [started(), delta("re"), Hang()]
    ours, theirs = pty.openpty()
    with start_chat("--target", server.target, "what?", stderr=theirs) as process:
        assert process.stdout is not None
        process.stdout.read(2)
        while select.select([ours], [], [], 0)[0]:
            os.read(ours, 2**16)
        is_drawing = bool(select.select([ours], [], [], 0.5)[0])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    os.close(theirs)
    os.close(ours)

    assert not is_drawing


def test_half_an_answer_is_a_failure(server: FakeServer, capsys: Capture) -> None:
    """A stream without its last event is not taken for a whole answer."""
    server.script = [started(), delta("re")]
    code = run("chat", "--target", server.target, "what?")
    out, err = capsys.readouterr()

    assert code == ExitCode.FAILED
    assert out == "re\n"
    assert "before the answer was complete" in err


def test_json_failures_leave_stdout_to_the_events(server: FakeServer, capsys: Capture) -> None:
    """A program reads events only; the problem is for its log, the exit code for itself."""
    failure = Failure(grpc.StatusCode.UNAVAILABLE, "engine died", "ENGINE_UNAVAILABLE")
    server.script = [started(), failure]
    code = run("chat", "--target", server.target, "--json", "what?")
    out, err = capsys.readouterr()

    assert code == ExitCode.FAILED
    assert [next(iter(json.loads(line))) for line in out.splitlines()] == ["started"]
    assert "engine died" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--max-tokens", "99999999999", "what?"], "out of range"),
        (["\udcff"], "surrogates"),
        (["--image", ".", "what?"], "cannot read the image"),
    ],
)
def test_what_cannot_be_sent_is_a_usage_error(
    server: FakeServer, capsys: Capture, words: list[str], told: str
) -> None:
    """Numbers, texts and files that no request can hold are told without a traceback."""
    code = run("chat", "--target", server.target, *words)

    assert code == ExitCode.USAGE
    assert told in capsys.readouterr().err
    assert server.requests == []


def test_a_short_flag_means_the_same(server: FakeServer, tmp_path: Path) -> None:
    """Argparse takes abbreviations; an image stays an image."""
    (tmp_path / "1.png").write_bytes(b"1")
    run("chat", "--target", server.target, "--im", f"{tmp_path}/1.png", "what?")

    assert server.request.conversation.messages[0].parts[0].image.source.data == b"1"
