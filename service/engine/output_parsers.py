"""The OutputParsers port on vLLM's own parsers, driven as its OpenAI server drives them.

That is `OpenAIServingChat` with `OnlineRenderer.preprocess_chat`: vLLM composes one class of the
named reasoning and tool parsers, which first adjusts the request (a forced call becomes a
structured output; markers that are special tokens must stay in the text), and then takes each
output apart, piece by piece. What a parser is given here comes from the sidecar's decoder.

Tested by tests/conformance/parsers, beside that server.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from vllm.config import ModelConfig, VllmConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.generate.base.protocol import DeltaMessage
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
from vllm.parser.abstract_parser import Parser
from vllm.parser.parser_manager import ParserManager
from vllm.reasoning import ReasoningParserManager
from vllm.sampling_params import StructuredOutputsParams
from vllm.tokenizers import TokenizerLike
from vllm.tool_parsers import ToolParserManager
from vllm.utils.mistral import is_mistral_tokenizer, is_mistral_tool_parser

from service.domain.conversation import Conversation
from service.domain.events import GenerationRequest
from service.domain.parsed import CallPiece, ParsedPiece, ReasoningStart
from service.domain.sampling import Sampling, StructuredOutput, StructuredOutputKind
from service.engine.chat_request import to_chat_request
from service.errors import InvalidRequestError, StartupError
from service.telemetry.logging import logger


def check_parsers(
    args: AsyncEngineArgs, tool_call_parser: str | None, tool_parser_plugin: Path | None = None
) -> None:
    """Raise StartupError for a parser that vLLM does not have, before a model is loaded.

    Plugins are imported here; one that fails says so in the log, and has no parser.
    """
    if args.reasoning_parser_plugin:
        ReasoningParserManager.import_reasoning_parser(args.reasoning_parser_plugin)
    if tool_parser_plugin is not None:
        ToolParserManager.import_tool_parser(str(tool_parser_plugin))
    reasoning_parser = args.reasoning_parser or args.structured_outputs_config.reasoning_parser
    for flag, name, known in (
        ("--reasoning-parser", reasoning_parser, ReasoningParserManager.list_registered()),
        ("--tool-call-parser", tool_call_parser, ToolParserManager.list_registered()),
    ):
        if name and name not in known:
            raise StartupError(f"{flag}: vLLM has no {name!r}; it has {', '.join(known)}")


class VllmParsers:
    """Opens parsers for requests. Make it with `load`."""

    def __init__(
        self, parser_class: type[Parser], tokenizer: TokenizerLike, model_config: ModelConfig
    ) -> None:
        self._parser_class = parser_class
        self._tokenizer = tokenizer
        self._model_config = model_config

    @classmethod
    def load(
        cls, config: VllmConfig, tokenizer: TokenizerLike, tool_call_parser: str | None
    ) -> Self | None:
        """Return the parsers that are asked for; None: none are. Raises StartupError."""
        reasoning_parser = config.structured_outputs_config.reasoning_parser
        model_config = config.model_config
        try:
            parser_class = ParserManager.get_parser(
                tool_parser_name=tool_call_parser,
                reasoning_parser_name=reasoning_parser,
                enable_auto_tools=bool(tool_call_parser),
                model_name=model_config.model,
                is_harmony=model_config.hf_config.model_type == "gpt_oss",
                tokenizer=tokenizer,
            )
        except TypeError as exc:
            raise StartupError(str(exc)) from exc
        return None if parser_class is None else cls(parser_class, tokenizer, model_config)

    @property
    def know_tools(self) -> bool:
        """Whether calls are found in answers."""
        return self._parser_class.tool_parser_cls is not None

    def plan(self, request: GenerationRequest) -> VllmParsingPlan | None:
        """Say how the answer to a conversation is parsed; None for that to a finished prompt."""
        if not isinstance(request.prompt, Conversation):
            return None
        try:
            chat = to_chat_request(request, request.prompt)
            template_arguments = chat.build_chat_params(None, "auto").chat_template_kwargs
            parser = self.make_parser(chat, template_arguments)
            asked = chat.structured_outputs
            if self._adjusts(chat):
                chat = parser.adjust_request(chat)  # type: ignore[assignment]
            made = chat.extract_structured_outputs()
        except Exception as exc:  # a schema may be anything, and vLLM goes through it unchecked
            raise InvalidRequestError("tools", f"cannot be used: {exc}") from exc
        sampling = dataclasses.replace(
            request.sampling, skip_special_tokens=chat.skip_special_tokens
        )
        if made is not asked:
            sampling = dataclasses.replace(sampling, structured_output=_to_structured_output(made))
        return VllmParsingPlan(self, chat, template_arguments, sampling)

    def make_parser(
        self, chat: ChatCompletionRequest, template_arguments: dict[str, Any]
    ) -> Parser:
        """Return a parser for one output."""
        return self._parser_class(
            self._tokenizer,
            chat.tools,  # type: ignore[arg-type]
            chat_template_kwargs=template_arguments,
            model_config=self._model_config,
        )

    def _adjusts(self, chat: ChatCompletionRequest) -> bool:
        """Tell whether parsers may change the request, as `preprocess_chat` does."""
        parser_class = self._parser_class
        tool_parser = parser_class.tool_parser_cls
        writes_grammar = (
            tool_parser is not None
            and is_mistral_tool_parser(tool_parser)
            and is_mistral_tokenizer(self._tokenizer)
            and self._tokenizer.supports_grammar
        )
        return (
            parser_class.always_adjust_request
            or parser_class.reasoning_parser_cls is not None
            or chat.tool_choice != "none"
            or writes_grammar
        )


class VllmParsingPlan:
    """How the answer to one request is parsed."""

    def __init__(
        self,
        parsers: VllmParsers,
        chat: ChatCompletionRequest,
        template_arguments: dict[str, Any],
        sampling: Sampling,
    ) -> None:
        self._parsers = parsers
        self._chat = chat
        self._template_arguments = template_arguments
        self.sampling = sampling

    def begin(self, prompt_token_ids: Sequence[int]) -> ReasoningStart:
        """Look where the prompt ends: in thoughts, or behind them."""
        parser = self._parsers.make_parser(self._chat, self._template_arguments)
        has_ended = self._chat.resolve_reasoning_ended(parser, list(prompt_token_ids))
        thinks = parser.reasoning_parser is not None
        return ReasoningStart(has_ended, self._template_arguments if thinks else None)

    def open(self, prompt_token_ids: Sequence[int]) -> VllmOutputParser:
        """Return a parser for one more output."""
        parser = self._parsers.make_parser(self._chat, self._template_arguments)
        return VllmOutputParser(parser, self._chat, list(prompt_token_ids))


class VllmOutputParser:
    """Takes one output apart."""

    def __init__(
        self, parser: Parser, chat: ChatCompletionRequest, prompt_token_ids: list[int]
    ) -> None:
        self._parser = parser
        self._chat = chat
        self._prompt_token_ids = prompt_token_ids
        self._counts = parser.reasoning_parser is not None
        # What is counted: vLLM's parsers count from the marker on, which may be in the prompt.
        self._token_ids = _opened_thoughts(parser, prompt_token_ids)
        self._has_failed = False

    def parse(self, text: str, token_ids: Sequence[int], *, is_last: bool) -> ParsedPiece:
        """Take the next piece apart; what a parser fails at is text, and all behind it."""
        if self._counts:
            self._token_ids += token_ids
        if self._has_failed:
            return ParsedPiece(text=text)
        try:
            found = self._parser.parse_delta(
                delta_text=text,
                delta_token_ids=list(token_ids),
                request=self._chat,
                prompt_token_ids=self._prompt_token_ids,
                finished=is_last,
            )
        except Exception:  # noqa: BLE001 - a model writes anything, and parsers raise anything
            logger.warning("a parser of vLLM's failed at what the model wrote", exc_info=True)
            self._has_failed = True
            return ParsedPiece(text=text)
        return self._without_others(_to_piece(found))

    def _without_others(self, piece: ParsedPiece) -> ParsedPiece:
        """Leave out all calls but the first where one is wanted, as vLLM's server does."""
        if self._chat.parallel_tool_calls is not False:
            return piece
        return dataclasses.replace(piece, calls=tuple(one for one in piece.calls if not one.index))

    @property
    def reasoning_tokens(self) -> int:
        """How many of the tokens so far were thoughts."""
        if not self._counts:
            return 0
        return int(self._parser.count_reasoning_tokens(tuple(self._token_ids)))


def _opened_thoughts(parser: Parser, prompt_token_ids: list[int]) -> list[int]:
    """Return the marker of thoughts that a prompt begins and does not end, alone, or nothing."""
    begin = getattr(parser.reasoning_parser, "start_token_id", None)
    end = getattr(parser.reasoning_parser, "end_token_id", None)
    markers = (one for one in reversed(prompt_token_ids) if one in (begin, end))
    return [begin] if begin is not None and next(markers, end) == begin else []


def _to_piece(found: DeltaMessage | None) -> ParsedPiece:
    if found is None:
        return ParsedPiece()
    calls = tuple(
        CallPiece(
            call.index,
            call.id or "",
            (call.function and call.function.name) or "",
            (call.function and call.function.arguments) or "",
        )
        for call in found.tool_calls or ()
    )
    return ParsedPiece(found.reasoning or "", found.content or "", calls)


def _to_structured_output(made: StructuredOutputsParams | None) -> StructuredOutput | None:
    """Return what parsers made of tools."""
    if made is None:
        return None
    if made.json is not None:
        text = made.json if isinstance(made.json, str) else json.dumps(made.json)
        return StructuredOutput(StructuredOutputKind.JSON_SCHEMA, text)
    if made.structural_tag is not None:
        return StructuredOutput(StructuredOutputKind.STRUCTURAL_TAG, made.structural_tag)
    if made.grammar is not None:
        return StructuredOutput(StructuredOutputKind.GRAMMAR, made.grammar)
    raise TypeError(f"a parser of vLLM's asks for an output of a kind that is not known: {made}")
