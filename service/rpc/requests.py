"""Turns the contract's requests into domain objects; reports all wrong fields at once.

Field paths start inside `GenerateRequest`, also when it comes wrapped in another message, and are
spelled as the proto spells them: `conversation.messages[0].parts[1].image`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from service.domain.conversation import (
    Conversation,
    Prompt,
    PromptOptions,
    RawText,
    RawTokenIds,
    Role,
)
from service.domain.events import GenerationRequest
from service.errors import InvalidRequestError
from service.rpc.conversations import to_conversation, to_media
from service.rpc.samplings import to_sampling
from service.rpc.template_arguments import to_template_arguments
from service.rpc.tools import to_tools
from service.rpc.violations import Violations

if TYPE_CHECKING:
    from triptych.v1 import generation_service_pb2 as pb
    from triptych.v1 import media_pb2 as media_pb


def to_generation_request(message: pb.GenerateRequest, caller: str = "") -> GenerationRequest:
    """Convert and check; raises InvalidRequestError."""
    return _convert(message, caller, is_opening=False)


def to_opening(message: pb.GenerateRequest, caller: str = "") -> GenerationRequest:
    """Convert the config of a session, whose conversation may be empty; raises as above."""
    violations = Violations()
    kind = message.WhichOneof("prompt")
    if kind in ("text", "token_ids"):
        violations.add(kind, "is a finished prompt; a session begins with a conversation, or none")
    if message.media:
        violations.add("media", "goes with text or token_ids; a session's media are parts")
    if message.sampling.n > 1:
        violations.add("sampling.n", f"must be 1 in a session, got {message.sampling.n}")
    if message.prompt_options.continue_final_message:
        violations.add("prompt_options.continue_final_message", "is not for sessions; use Generate")
    violations.raise_if_any()
    return _convert(message, caller, is_opening=True)


def _convert(message: pb.GenerateRequest, caller: str, *, is_opening: bool) -> GenerationRequest:
    violations = Violations()
    prompt = _to_prompt(message, violations, is_opening=is_opening)
    tools = to_tools(message, violations, has_conversation=isinstance(prompt, Conversation))
    if isinstance(prompt, Conversation):
        prompt = dataclasses.replace(prompt, tools=tools)
    sampling = to_sampling(message, violations)
    options = _to_prompt_options(message.prompt_options, prompt, violations)
    media_limits = _to_media_limits(message.media_options.limits, violations)
    violations.raise_if_any()
    if prompt is None:
        raise InvalidRequestError("prompt", _NO_PROMPT)
    return GenerationRequest(
        model=message.model,
        prompt=prompt,
        sampling=sampling,
        prompt_options=options,
        include_token_ids=message.output_options.include_token_ids,
        priority=message.priority,
        media_limits=media_limits,
        caller=caller,
    )


_NO_PROMPT = "is not set; set one of conversation, text or token_ids"


def _to_prompt(
    message: pb.GenerateRequest, violations: Violations, *, is_opening: bool
) -> Prompt | None:
    match message.WhichOneof("prompt"):
        case None if is_opening:
            return Conversation(())
        case "conversation":
            if message.media:
                violations.add("media", "goes with text or token_ids; a message has its own parts")
            return to_conversation(message.conversation, violations, may_be_empty=is_opening)
        case "text":
            if not message.text:
                violations.add("text", "is empty; a prompt needs at least one character")
            return RawText(message.text, to_media(message.media, violations))
        case "token_ids":
            if not message.token_ids.ids:
                violations.add("token_ids.ids", "is empty; a prompt needs at least one id")
            media = to_media(message.media, violations)
            return RawTokenIds(tuple(message.token_ids.ids), media)
        case _:
            violations.add("prompt", _NO_PROMPT)
            return None


def _to_prompt_options(
    message: pb.PromptOptions, prompt: Prompt | None, violations: Violations
) -> PromptOptions:
    continues = message.continue_final_message
    adds = message.add_generation_prompt if message.HasField("add_generation_prompt") else None
    if continues and adds:
        violations.add(
            "prompt_options.add_generation_prompt",
            "cannot be true together with continue_final_message; leave it unset",
        )
    if continues and not _ends_with_assistant(prompt):
        violations.add(
            "prompt_options.continue_final_message",
            "needs a conversation whose last message has ROLE_ASSISTANT",
        )
    keeps = message.truncate_prompt_tokens if message.HasField("truncate_prompt_tokens") else None
    if keeps is not None:
        _check_truncation(keeps, prompt, violations)
    return PromptOptions(
        add_generation_prompt=not continues if adds is None else adds,
        continue_final_message=continues,
        trust_special_tokens=message.trust_special_tokens,
        add_special_tokens=message.add_special_tokens,
        template_arguments=to_template_arguments(message.template_arguments, violations),
        truncate_prompt_tokens=keeps,
    )


def _check_truncation(keeps: int, prompt: Prompt | None, violations: Violations) -> None:
    field = "prompt_options.truncate_prompt_tokens"
    if keeps < 1 and keeps != -1:
        violations.add(field, f"must be -1 or at least 1, got {keeps}")
    if prompt is not None and prompt.media_parts():
        violations.add(field, "cannot be set for a prompt with media: it might cut one in two")


def _to_media_limits(limits: media_pb.MediaLimits, violations: Violations) -> dict[str, float]:
    requested = {descriptor.name: value for descriptor, value in limits.ListFields()}
    for name, value in requested.items():
        field = f"media_options.limits.{name}"
        if isinstance(value, float):
            violations.check_above(field, value, 0)
        else:
            violations.check_range(field, value, 1)
    return requested


def _ends_with_assistant(prompt: Prompt | None) -> bool:
    if not isinstance(prompt, Conversation) or not prompt.messages:
        return False
    return prompt.messages[-1].role is Role.ASSISTANT
