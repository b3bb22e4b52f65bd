"""How `triptych chat` shows an answer: as text for a person, or as JSON lines for a program."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from google.protobuf.json_format import MessageToJson
from rich.console import Console

from service.cli.client_call import for_terminal

if TYPE_CHECKING:
    from rich.status import Status

    from triptych.v1 import generation_service_pb2


class EventPrinter:
    """Prints each event as one line of JSON, with the field names of the proto."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""

    def show(self, response: generation_service_pb2.GenerateResponse) -> None:
        """Print one event at once."""
        line = MessageToJson(
            response, preserving_proto_field_name=True, indent=None, ensure_ascii=False
        )
        print(line, flush=True)


class AnswerPrinter:
    """Streams the text to stdout; spinner and usage go to stderr, the spinner only to a TTY."""

    def __init__(self) -> None:
        """Show nothing yet."""
        self._spinner: Status | None = None
        self._is_inside_line = False

    def __enter__(self) -> Self:
        """Show that the answer is awaited."""
        if sys.stderr.isatty():
            self._spinner = Console(stderr=True).status("waiting for the first token")
            self._spinner.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the cursor at the start of a line."""
        self._stop_spinner()
        if self._is_inside_line:
            print(flush=True)
            self._is_inside_line = False

    def show(self, response: generation_service_pb2.GenerateResponse) -> None:
        """Print what an event adds to the answer, at once."""
        if text := response.text_delta.text:
            self._stop_spinner()
            print(for_terminal(text) if sys.stdout.isatty() else text, end="", flush=True)
            self._is_inside_line = not text.endswith("\n")
        elif response.HasField("completed"):
            self.__exit__()
            print(usage_line(response.completed), file=sys.stderr)

    def _stop_spinner(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None


def usage_line(completed: generation_service_pb2.Completed) -> str:
    """Return such as `prompt 279 tokens (text 18, image 261), answer 3 tokens in 0.42 s`."""
    usage = completed.usage
    kinds = ("text", "image", "audio", "video")
    shares = ((kind, getattr(usage, f"prompt_{kind}_tokens")) for kind in kinds)
    told = ", ".join(f"{kind} {tokens}" for kind, tokens in shares if tokens)
    prompt = f"{usage.prompt_tokens} tokens" + (f" ({told})" if told else "")
    stages = ("fetch", "decode", "preprocess", "queue", "prefill", "generate")
    times = (getattr(completed.timings, stage).ToTimedelta() for stage in stages)
    seconds = sum(time.total_seconds() for time in times)
    return f"prompt {prompt}, answer {usage.completion_tokens} tokens in {seconds:.2f} s"
