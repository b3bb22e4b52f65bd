"""The Engine port on vLLM's `AsyncLLM`: token ids and prepared media in, token ids out.

Prompts are rendered to an `EngineInput` by vLLM's own renderer, then generated from. The model's
Hugging Face processor has run before, in a worker process (prepared_items.py); vLLM's tokenizer
and detokenizer are never asked. Closing the iterator of `generate` aborts the engine's work.

Tested by tests/end_to_end and, through the fake's contract suite, by tests/contract.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.exceptions import GracefulHTTPError, VLLMValidationError
from vllm.lora.request import LoRARequest
from vllm.outputs import PoolingRequestOutput, RequestOutput
from vllm.utils.mistral import is_mistral_tokenizer
from vllm.v1.engine.async_llm import AsyncLLM
from vllm.v1.engine.exceptions import EngineDeadError

from service.domain.embedding import EmbeddingOptions, EngineVector
from service.domain.events import EngineDelta
from service.domain.media import PreparedMedia, PreparedPrompt
from service.domain.model import Adapter, ModelDescription
from service.domain.parsed import ReasoningStart
from service.domain.sampling import Sampling
from service.engine.adapters import load_adapters
from service.engine.cache_misses import is_cache_miss
from service.engine.deltas import to_delta
from service.engine.model_description import describe_model
from service.engine.pooling import to_pooling_params, to_vector
from service.engine.prompt_builder import PromptBuilder
from service.engine.refused_fields import field_of
from service.engine.sampling_params import to_sampling_params
from service.engine.tasks import find_tasks
from service.errors import (
    EngineUnavailableError,
    InvalidRequestError,
    PromptTooLongError,
    StartupError,
)

if TYPE_CHECKING:
    from service.engine.output_parsers import VllmParsers

# vLLM tells of its core's death through a flag only; this is how often it is read.
_DEATH_POLL_S = 0.2
_Output = TypeVar("_Output", RequestOutput, PoolingRequestOutput[Any])


class VllmEngine:
    """A running vLLM engine. Make it with `start`."""

    def __init__(
        self, llm: AsyncLLM, model: ModelDescription, adapters: Mapping[str, LoRARequest]
    ) -> None:
        self._llm = llm
        self._model = model
        self._adapters = adapters
        self._sampling_defaults: dict[str, Any] = llm.model_config.get_diff_sampling_param()
        self._prompts = PromptBuilder(llm.renderer)

    @classmethod
    def start(
        cls,
        args: AsyncEngineArgs,
        served_name: str,
        loop: asyncio.AbstractEventLoop,
        adapters: Sequence[Adapter] = (),
    ) -> Self:
        """Load the model and start vLLM's engine process; takes half a minute and more.

        Call it in a thread: the engine then belongs to `loop`, which goes on meanwhile. Raises
        StartupError.
        """
        # vLLM makes its sockets for the event loop of the thread that constructs it.
        asyncio.set_event_loop(loop)
        try:
            llm = AsyncLLM.from_engine_args(args)
        except (OSError, RuntimeError, TypeError, ValueError, VLLMValidationError) as exc:
            raise StartupError(
                f"the engine did not start: {exc}; --log-level debug shows vLLM's own log"
            ) from exc
        try:
            loaded = load_adapters(llm, adapters, loop)
            tasks = find_tasks(llm, loop)
            return cls(llm, describe_model(llm, served_name, tasks, tuple(loaded)), loaded)
        except StartupError:
            llm.shutdown()
            raise

    @property
    def model(self) -> ModelDescription:
        """What is loaded."""
        return self._model

    @property
    def tokenizer_file(self) -> str:
        """Which of the checkpoint's files vLLM's prompts are made with; raises StartupError."""
        tokenizer = self._llm.renderer.tokenizer
        if not is_mistral_tokenizer(tokenizer):
            return "tokenizer.json"
        if not tokenizer.is_tekken:
            raise StartupError(
                "the tokenizer is a SentencePiece model in Mistral's own format, which is not "
                "served; of that format, tekken.json is"
            )
        return "tekken.json"

    @property
    def max_sequences(self) -> int:
        """How many outputs vLLM writes at once, over all its replicas."""
        config = self._llm.vllm_config
        scheduler = config.scheduler_config
        at_once = scheduler.max_num_active_seqs or scheduler.max_num_seqs
        return int(at_once * config.parallel_config.data_parallel_size)

    @property
    def unfinished_requests(self) -> int:
        """How many requests vLLM holds at this moment."""
        return int(self._llm.get_num_unfinished_requests())

    async def prepare(
        self,
        token_ids: Sequence[int],
        media: Sequence[PreparedMedia],
        *,
        may_be_too_long: bool = False,
    ) -> PreparedPrompt:
        """Put media into their places; placeholders grow to the media's real length."""
        if not may_be_too_long:
            self._check_length(len(token_ids))
        with _translated_errors():
            prompt = await self._prompts.build(token_ids, media)
        if not may_be_too_long:
            self._check_length(prompt.context_tokens)
        return prompt

    async def generate(  # noqa: PLR0913 - how, all by name
        self,
        request_id: str,
        prompt: PreparedPrompt,
        sampling: Sampling,
        *,
        priority: int = 0,
        adapter: str = "",
        reasoning: ReasoningStart | None = None,
    ) -> AsyncGenerator[EngineDelta, None]:
        """Stream what each engine step gives."""
        tokens_left = self._model.max_model_tokens - prompt.context_tokens
        params = to_sampling_params(sampling, self._sampling_defaults, tokens_left)
        with _translated_errors():
            send = partial(
                self._llm.generate,
                sampling_params=params,
                request_id=request_id,
                priority=priority,
                lora_request=self._adapters[adapter] if adapter else None,
                **_reasoning_options(reasoning),
            )
            async with aclosing(self._stream(prompt, send)) as stream:
                async for output in stream:
                    for completion in output.outputs:
                        yield to_delta(completion, output, sampling)

    async def embed(
        self,
        request_id: str,
        prompt: PreparedPrompt,
        options: EmbeddingOptions,
        *,
        adapter: str = "",
    ) -> EngineVector:
        """Make one vector of the prompt."""
        with _translated_errors():
            send = partial(
                self._llm.encode,
                pooling_params=to_pooling_params(options),
                request_id=request_id,
                lora_request=self._adapters[adapter] if adapter else None,
            )
            async with aclosing(self._stream(prompt, send)) as stream:
                # It gives one output, and ends only when it is asked for more.
                return [to_vector(output) async for output in stream][-1]

    async def end_output(self, request_id: str, output_index: int) -> None:
        """Abort one of the requests that vLLM makes of one for several outputs."""
        processor = self._llm.output_processor
        for internal_id in tuple(processor.external_req_ids.get(request_id, ())):
            state = processor.request_states.get(internal_id)
            if state is not None and state.request_index == output_index:
                await self._llm.abort(internal_id, internal=True)

    async def _stream(
        self, prompt: PreparedPrompt, send: Callable[[Any], AsyncGenerator[_Output, None]]
    ) -> AsyncGenerator[_Output, None]:
        """Send the prompt; once more if the engine has dropped an item that it should have."""
        for is_last_try in (False, True):
            engine_input = self._prompts.to_send(prompt)
            async with aclosing(send(engine_input)) as stream:
                async for output in stream:
                    if prompt.items and not is_last_try and is_cache_miss(output):
                        break  # vLLM has told the lender, so all of it is sent now
                    # Images are large, and answers long: the engine has them now.
                    for held in (prompt.items, prompt.engine_input, engine_input):
                        held.clear()
                    yield output
                else:
                    return

    def load_parsers(self, tool_call_parser: str | None) -> VllmParsers | None:
        """Return vLLM's parsers of answers, where any are asked for; raises StartupError."""
        config = self._llm.vllm_config
        if not (tool_call_parser or config.structured_outputs_config.reasoning_parser):
            return None
        # It imports much of vLLM's OpenAI server.
        from service.engine.output_parsers import VllmParsers  # noqa: PLC0415

        tokenizer = self._llm.renderer.get_tokenizer()
        return VllmParsers.load(config, tokenizer, tool_call_parser)

    async def wait_until_dead(self) -> None:
        """Return when vLLM's engine process has died."""
        while not self._llm.errored:  # noqa: ASYNC110 - vLLM gives a flag, no event
            await asyncio.sleep(_DEATH_POLL_S)

    def stop(self) -> None:
        """End vLLM's processes; blocks until they have gone."""
        # vLLM itself cancels the reader of its outputs last, which then reports a dead engine.
        reader = self._llm.output_handler
        if reader is not None:
            reader.get_loop().call_soon_threadsafe(reader.cancel)
        self._llm.shutdown()

    def _check_length(self, token_count: int) -> None:
        limit = self._model.max_prompt_tokens
        if token_count > limit:
            raise PromptTooLongError("prompt", "max_model_tokens", limit, token_count)


def _reasoning_options(start: ReasoningStart | None) -> dict[str, Any]:
    if start is None:
        return {}
    arguments = start.template_arguments
    return {
        "reasoning_ended": start.has_ended,
        "reasoning_parser_kwargs": (
            None if arguments is None else {"chat_template_kwargs": arguments}
        ),
    }


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except EngineDeadError as exc:
        raise EngineUnavailableError("the engine died; retry on another replica") from exc
    except GracefulHTTPError as exc:  # its own bounds, such as --max-num-queued-reqs
        raise EngineUnavailableError(str(exc.message)) from exc
    except (VLLMValidationError, ValueError) as exc:
        raise InvalidRequestError(field_of(exc), str(exc)) from exc
    except AssertionError as exc:
        # vLLM's processors assert where the prompt has fewer placeholders than there are media.
        raise InvalidRequestError("prompt", "its placeholders do not match its media") from exc
