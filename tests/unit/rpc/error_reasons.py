"""How each reason of error_reason.proto is provoked: one function a reason, on a real server.

    @provokes("MODEL_NOT_FOUND")
    async def ask_for_another_model(bench: ErrorBench) -> None:
        await bench.generate(model="gpt", text="hi")

A function arranges what it needs on the bench, and makes the call that fails. Those of media are
in media_error_reasons.py. A new reason needs one too: test_error_reasons.py fails without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import grpc

from service.admission import AdmissionLimits
from service.domain.limits import SessionLimits
from service.domain.model import PromptFormat
from service.errors import NotServedYetError
from service.prompt.chat_template import ChatTemplate
from service.prompt.paced_renderer import PacedRenderer
from service.prompt.renderer import TemplateRenderer
from service.rpc.serving import Serving
from tests.unit.rpc.error_bench import SECRET, ErrorBench, FailingGenerator, TalkingGenerator
from triptych.v1 import (
    conversation_pb2,
    embedding_service_pb2,
    embedding_service_pb2_grpc,
    error_reason_pb2,
    generation_service_pb2,
    sampling_pb2,
)

REASONS = [
    name.removeprefix("ERROR_REASON_")
    for name, number in error_reason_pb2.ErrorReason.items()
    if number
]
Provoke = Callable[[ErrorBench], Awaitable[None]]
PROVOCATIONS: dict[str, Provoke] = {}


def provokes(reason: str) -> Callable[[Provoke], Provoke]:
    """Keep a function as the provocation of a reason."""

    def keep(provoke: Provoke) -> Provoke:
        assert reason not in PROVOCATIONS, reason
        PROVOCATIONS[reason] = provoke
        return provoke

    return keep


def _text_from(role: int) -> conversation_pb2.Conversation:
    part = conversation_pb2.Part(text="hi")
    return conversation_pb2.Conversation(
        messages=[conversation_pb2.Message(role=role, parts=[part])]
    )


@provokes("INVALID_FIELD")
async def ask_with_an_impossible_probability(bench: ErrorBench) -> None:
    await bench.generate(text="hi", sampling=sampling_pb2.SamplingParams(top_p=2.0))


@provokes("PROMPT_TOO_LONG")
async def ask_with_more_than_the_context_holds(bench: ErrorBench) -> None:
    await bench.generate(text="x" * bench.way.engine.model.max_model_tokens)


@provokes("TEMPLATE_REFUSED")
async def ask_a_template_that_refuses(bench: ErrorBench) -> None:
    template = ChatTemplate("{{ raise_exception('only users may speak') }}", {})
    renderer = TemplateRenderer(template, None, PromptFormat("strict", "the test chose it"))
    bench.use_renderer(PacedRenderer(renderer))
    await bench.generate(conversation=_text_from(conversation_pb2.ROLE_USER))


@provokes("MODEL_NOT_FOUND")
async def ask_for_another_model(bench: ErrorBench) -> None:
    await bench.generate(model="gpt", text="hi")


@provokes("NOT_SERVED_YET")
async def ask_for_what_a_later_version_has(bench: ErrorBench) -> None:
    """What that is changes with each version, so the fake stands for it."""
    error = NotServedYetError("sampling.magic: is not served yet", feature="sampling.magic")
    bench.use_generator(FailingGenerator(error))
    await bench.generate(text="hi")


@provokes("ENGINE_UNAVAILABLE")
async def ask_before_the_model_is_loaded(bench: ErrorBench) -> None:
    bench.unload()
    await bench.generate(text="hi")


@provokes("TOKENIZER_UNAVAILABLE")
async def ask_while_the_tokenizer_is_away(bench: ErrorBench) -> None:
    bench.way.tokenizer.is_available = False
    await bench.generate(text="hi")


@provokes("SHUTTING_DOWN")
async def ask_while_the_server_stops(bench: ErrorBench) -> None:
    bench.serving.close()
    await bench.generate(text="hi")


@provokes("TASK_UNSUPPORTED")
async def ask_a_model_that_answers_for_vectors(bench: ErrorBench) -> None:
    stub = embedding_service_pb2_grpc.EmbeddingServiceStub(await bench.channel())
    one = embedding_service_pb2.EmbedInput(text="hi")
    await stub.Embed(embedding_service_pb2.EmbedRequest(inputs=[one]))


@provokes("INTERNAL")
async def ask_where_a_defect_is_met(bench: ErrorBench) -> None:
    bench.use_generator(FailingGenerator(RuntimeError(SECRET)))
    await bench.generate(text="hi")


@provokes("OVERLOADED")
async def ask_when_nobody_may_wait(bench: ErrorBench) -> None:
    bench.way.engine.hold.clear()
    bench.use_admission(AdmissionLimits(1, 0, 1000))
    stub = await bench.generation_stub()
    running = stub.Generate(generation_service_pb2.GenerateRequest(text="hi"))
    await running.read()
    await stub.Generate(generation_service_pb2.GenerateRequest(text="hi")).read()


@provokes("DEADLINE_EXCEEDED")
async def ask_with_too_little_time_for_a_picture(bench: ErrorBench) -> None:
    bench.use_media()
    bench.workers.go_on.clear()
    await bench.ask_about("image", data=b"a picture", timeout_s=2.0)


@provokes("READER_STALLED")
async def read_no_further(bench: ErrorBench) -> None:
    """More than gRPC keeps for a reader; what it has kept can be read to the end, later."""
    bench.reader_timeout_s = 0.05
    talking = TalkingGenerator()
    bench.use_generator(talking)
    stub = await bench.generation_stub()
    answer = stub.Generate(generation_service_pb2.GenerateRequest(text="hi"))
    await answer.read()
    await talking.was_ended.wait()
    while await answer.read() is not grpc.aio.EOF:
        pass


@provokes("SESSION_LIMIT_EXCEEDED")
async def say_nothing_for_long(bench: ErrorBench) -> None:
    bench.serving = Serving(SessionLimits(idle_s=0.01))
    bench.load()
    await bench.converse(config={})
