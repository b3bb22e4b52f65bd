"""The interfaces between the way of a request and what carries it out.

`generator` knows only these; `app` plugs in the real ones, tests plug in fakes that pass the
same contract suites.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

from service.domain.conversation import Conversation, MediaPart, Modality, PromptOptions
from service.domain.embedding import EmbeddingOptions, EngineVector
from service.domain.events import EngineDelta, GenerationRequest
from service.domain.media import MediaDescription, PreparedMedia, PreparedPrompt
from service.domain.model import ModelDescription, PromptFormat
from service.domain.parsed import ParsedPiece, ReasoningStart
from service.domain.prompt import ByteSpan, Place, RenderedPrompt
from service.domain.sampling import Sampling, StructuredOutput
from service.domain.stored_medium import StoredMedium
from service.domain.tokens import EncodedText, StreamText


class TokenStream(Protocol):
    """Turns the growing token ids of one output into text, exactly as vLLM does.

    A text never ends in half a character, nor in U+FFFD, which half a character looks like, nor
    in what may become a stop string. The text ends at the first stop string: the one that is
    complete first, and of several that are complete together the first of the list. Ids behind it
    are ignored.
    """

    def append(self, token_ids: Sequence[int]) -> Awaitable[StreamText]:
        """Add ids; return what will be the text that is now certain, possibly empty.

        The ids must not change before it is there. An id that the tokenizer does not have, as a
        model's vocabulary may be larger, is no text.
        """

    async def flush(self) -> StreamText:
        """End the stream; return what could have become a stop string.

        Half a character at the end is no text.
        """

    def close(self) -> None:
        """Forget the stream without flushing. Harmless after `flush`."""


class Tokenizer(Protocol):
    """Text to token ids and back. Every method may raise TokenizerUnavailableError."""

    async def encode(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> list[int]:
        """Return the ids; inside `literal_spans` special tokens are plain text."""

    async def encode_with_spans(
        self,
        text: str,
        *,
        literal_spans: Sequence[ByteSpan] = (),
        add_special_tokens: bool = False,
    ) -> EncodedText:
        """Return the ids as `encode` does, and the bytes of the text that each stands for."""

    async def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """Return the text; bytes that are no UTF-8 become U+FFFD."""

    def open_stream(
        self,
        *,
        skip_special_tokens: bool = True,
        stop_strings: Sequence[str] = (),
        include_stop_string: bool = False,
        context_token_ids: Sequence[int] = (),
        min_tokens: int = 0,
    ) -> TokenStream:
        """Start decoding one output; with `include_stop_string` the text ends behind it.

        `context_token_ids`, the prompt's, decide how the text goes on, such as whether it begins
        with a space; their own text is not given out, nor searched. A stop string counts only where
        it becomes complete behind the first `min_tokens` ids that are appended.
        """


class WorkerEnd(StrEnum):
    """Why a worker process ended in the middle of a task."""

    CRASHED = "crashed"  # by a signal of its own: the code that it ran is to blame
    MEMORY = "memory"  # it needed more than it may have
    CPU_TIME = "cpu_time"  # it used more than it may
    WALL_TIME = "wall_time"  # it took longer than it may
    LOST = "lost"  # ended from outside


class WorkerEndedError(Exception):
    """A task was not completed, for its worker process ended; `limit` is what it ran into."""

    def __init__(self, end: WorkerEnd, limit: float | None = None) -> None:
        super().__init__(f"the worker process ended: {end}")
        self.end = end
        self.limit = limit


class Workers(Protocol):
    """Processes that run tasks."""

    async def run(
        self,
        task: object,
        fds: Sequence[int] = (),
        *,
        wall_s: float | None = None,
        caller: str = "",
        aside: bool = False,
    ) -> Any:  # noqa: ANN401 - the task's
        """Run a task on the files with these descriptors; callers' tasks take turns.

        One that is run `aside` waits for none that is not. A task may take `wall_s` seconds;
        None: as long as any may. Raises what the task raises of errors.py, and WorkerEndedError.
        Cancelling ends the worker.
        """


class StructureTester(Protocol):
    """Tells whether structured outputs can be used."""

    async def check(self, wanted: StructuredOutput) -> None:
        """Raise InvalidRequestError for one that is broken or costs too much."""


class MediaPreparer(Protocol):
    """Turns media parts into what the engine takes, off the event loop.

    Raises the errors of errors.py for the part that fails first; the others are given up.
    """

    async def prepare(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[PreparedMedia]:
        """Prepare all parts of one request; `limits` may lower the server's own."""

    async def describe(
        self, parts: Sequence[MediaPart], *, caller: str, limits: dict[str, float]
    ) -> list[MediaDescription]:
        """Tell what the headers of all parts of one request tell."""

    async def prepare_blanks(
        self, parts: Sequence[MediaPart], descriptions: Sequence[MediaDescription]
    ) -> list[PreparedMedia]:
        """Prepare media of these sizes that show nothing: they take as many tokens."""


class MediaPlaces(Protocol):
    """Where media stand in a model's prompts. A kind that is not known is left to the engine."""

    @property
    def placeholders(self) -> Mapping[Modality, str]:
        """What the engine replaces, for each kind; `{number}` in it counts media of the kind."""

    def find(self, text: str) -> Iterable[Place]:
        """Find the placeholders of a text, in order."""

    def string_for(self, modality: Modality, number: int) -> str | None:
        """Return what a text needs for a medium: a placeholder, and what belongs around it.

        `number` counts the media of that kind, from 1. None: nothing, or it is not known.
        """


class PromptRenderer(Protocol):
    """Turns a conversation into the model's prompt text, one placeholder for each medium."""

    @property
    def prompt_format(self) -> PromptFormat:
        """Which format is used, and why."""

    @property
    def places(self) -> MediaPlaces:
        """Where media stand in prompts of that format."""

    async def render(self, conversation: Conversation, options: PromptOptions) -> RenderedPrompt:
        """Render; raises TemplateRefusedError."""


class Engine(Protocol):
    """A running model. Every method may raise EngineUnavailableError."""

    @property
    def model(self) -> ModelDescription:
        """What is loaded."""

    async def prepare(
        self,
        token_ids: Sequence[int],
        media: Sequence[PreparedMedia],
        *,
        may_be_too_long: bool = False,
    ) -> PreparedPrompt:
        """Put media into their places in the prompt; `media` is in reading order.

        Raises InvalidRequestError when placeholders and media do not agree, and
        PromptTooLongError unless it `may_be_too_long`: then it is only to be looked at.
        """

    def generate(  # noqa: PLR0913 - how, all by name
        self,
        request_id: str,
        prompt: PreparedPrompt,
        sampling: Sampling,
        *,
        priority: int = 0,
        adapter: str = "",
        reasoning: ReasoningStart | None = None,
    ) -> AsyncGenerator[EngineDelta, None]:
        """Stream the answer; closing the iterator, or cancelling it, aborts the engine's work.

        `sampling`'s stop strings are not the engine's: it never sees text. `adapter` is one of the
        model's, or empty. `reasoning` says from where on a structured output holds.
        """

    async def embed(
        self,
        request_id: str,
        prompt: PreparedPrompt,
        options: EmbeddingOptions,
        *,
        adapter: str = "",
    ) -> EngineVector:
        """Make one vector of a prompt, of a model with Task.EMBED; cancelling aborts the work."""

    async def end_output(self, request_id: str, output_index: int) -> None:
        """Stop writing one output of a running answer; its last delta has ABORTED.

        Harmless when the output, or the answer, has ended.
        """

    async def wait_until_dead(self) -> None:
        """Return when the engine has died and will not come back."""


class OutputParser(Protocol):
    """Takes one output apart as it grows."""

    def parse(self, text: str, token_ids: Sequence[int], *, is_last: bool) -> ParsedPiece:
        """Take the text that is certain after these ids; `is_last` where the output ends."""

    @property
    def reasoning_tokens(self) -> int:
        """How many of the tokens so far were thoughts."""


class ParsingPlan(Protocol):
    """How the answer to one request is parsed."""

    @property
    def sampling(self) -> Sampling:
        """The request's, as the parsers need it: a forced call becomes a structured output."""

    def begin(self, prompt_token_ids: Sequence[int]) -> ReasoningStart:
        """Tell what the engine must know of thoughts."""

    def open(self, prompt_token_ids: Sequence[int]) -> OutputParser:
        """Return a parser for one output."""


class OutputParsers(Protocol):
    """Knows how the model writes thoughts and calls of tools."""

    @property
    def know_tools(self) -> bool:
        """Whether calls are found in answers."""

    def plan(self, request: GenerationRequest) -> ParsingPlan | None:
        """Say how the answer to a request is parsed; None: its text is the answer.

        Raises InvalidRequestError for tools that cannot be used.
        """


class MediumInPieces(Protocol):
    """One medium on its way into a session."""

    def write(self, chunk: bytes) -> None:
        """Add bytes; raises LimitExceededError or MediaBudgetExceededError."""

    def finish(self) -> MediaPart:
        """Return the whole medium's part, which the session keeps.

        Raises InvalidRequestError when there are no bytes, or others than those claimed.
        """


class SessionMedia(Protocol):
    """The media of one session: each is got once, and kept for all turns."""

    async def keep(self, part: MediaPart) -> MediaPart:
        """Get a medium's bytes and keep them; return the part with these as its source.

        Harmless for a part that is kept. Raises what preparing the part would raise for its source.
        """

    def begin(self, part: MediaPart) -> MediumInPieces:
        """Start a medium that comes in pieces; its part's source tells what is claimed of it."""

    def close(self) -> None:
        """Let all media go."""


class SessionMediaSource(Protocol):
    """Where sessions keep their media."""

    def open(self, caller: str, limits: dict[str, float]) -> SessionMedia:
        """Start the media of one session; `limits` may lower the server's own."""


class MediaUpload(Protocol):
    """One medium on its way into the store. Ends with `commit` or `abort`."""

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises InvalidRequestError for more than was declared or another type than declared, and
        MediaStoreFullError.
        """

    async def commit(self) -> StoredMedium:
        """Store it; raises InvalidRequestError when the bytes are not those declared."""

    async def abort(self) -> None:
        """Leave nothing behind. Harmless after `commit`."""


class MediaStore(Protocol):
    """What callers have uploaded; each caller has its own, and learns nothing of the others'."""

    async def begin(
        self, caller: str, mime_type: str, size_bytes: int, sha256: bytes
    ) -> MediaUpload:
        """Start an upload; raises LimitExceededError and MediaBudgetExceededError."""

    async def find(self, caller: str, sha256s: Sequence[bytes]) -> list[StoredMedium | None]:
        """Tell what the caller has of these, and keep it as if it had just been uploaded."""

    async def delete(self, caller: str, media_id: str) -> None:
        """Forget one of the caller's media, if it is there."""


class MediaProber(Protocol):
    """Describes media without decoding them."""

    async def probe(self, part: MediaPart, caller: str) -> tuple[MediaDescription, int | None]:
        """Read a part's header; the number is the tokens that the model spends on it.

        None: the model does not take this kind. Raises what preparing the part would raise.
        """

    async def usual_costs(self) -> dict[Modality, float]:
        """Return what a picture, a second of sound and a second of video cost, in tokens."""
