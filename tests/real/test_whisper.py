"""Whisper tiny.en writes down what was really said, through `triptych serve`."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from tests.real.checkpoints import whisper_tiny_en_checkpoint
from tests.real.conftest import fetched
from tests.real.recordings import Recording, jfk, librivox
from tests.real.running_model import serving
from tests.real.word_error_rate import word_error_rate, words
from triptych.v1 import conversation_pb2, generation_service_pb2, media_pb2, sampling_pb2
from triptych.v1.generation_service_pb2_grpc import GenerationServiceStub

# The first test waits for the server too.
pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

# What the model was trained to read before a transcript without times.
PROMPT = "<|startoftranscript|><|notimestamps|>"
# A Whisper of this size makes 5 to 6 errors in 100 words of clean LibriVox.
MOST_WORD_ERRORS = 0.1
# Half a minute of sound is 1500 tokens, and the encoder takes them in one piece.
ENGINE_FLAGS = ("--max-num-batched-tokens", "2048")


@pytest.fixture(scope="module")
def whisper() -> Iterator[GenerationServiceStub]:
    """A server that runs it."""
    with serving(fetched(whisper_tiny_en_checkpoint), *ENGINE_FLAGS) as generation:
        yield generation


def ask(
    generation: GenerationServiceStub, prompt: generation_service_pb2.GenerateRequest
) -> generation_service_pb2.GenerateUnaryResponse:
    """Ask for the most probable transcript."""
    request = generation_service_pb2.GenerateRequest(
        sampling=sampling_pb2.SamplingParams(temperature=0.0)
    )
    request.MergeFrom(prompt)
    return generation.GenerateUnary(generation_service_pb2.GenerateUnaryRequest(request=request))


def sound_of(recording: Recording) -> conversation_pb2.Part:
    """Return a recording as a part."""
    source = media_pb2.MediaSource(data=recording.path.read_bytes())
    return conversation_pb2.Part(audio=media_pb2.AudioPart(source=source))


def write_down(
    generation: GenerationServiceStub, recording: Recording
) -> generation_service_pb2.GenerateUnaryResponse:
    """Ask for the transcript of a recording, and show it."""
    finished_prompt = generation_service_pb2.GenerateRequest(
        text=PROMPT, media=[sound_of(recording)]
    )
    answer = ask(generation, finished_prompt)
    print(f"\n{recording.path.name}: {answer.outputs[0].text}")
    return answer


@pytest.mark.parametrize("file", ["jfk.wav", "jfk.mp3"])
def test_a_speech_is_written_down_word_for_word(whisper: GenerationServiceStub, file: str) -> None:
    """Every word, none too many; and the answer ends by itself."""
    recording = fetched(lambda: jfk(file))

    output = write_down(whisper, recording).outputs[0]

    assert words(output.text) == words(recording.said)
    assert output.finished.reason == generation_service_pb2.FINISH_REASON_STOP


def test_a_novel_is_written_down_with_few_errors(whisper: GenerationServiceStub) -> None:
    """Five sentences, as one text."""
    recordings = fetched(librivox)

    heard = " ".join(write_down(whisper, one).outputs[0].text for one in recordings)

    errors = word_error_rate(" ".join(one.said for one in recordings), heard)
    print(f"word error rate: {errors:.3f}")
    assert errors <= MOST_WORD_ERRORS


def test_a_sound_is_counted_as_what_the_encoder_reads(whisper: GenerationServiceStub) -> None:
    """Half a minute, whatever its length, beside the two tokens of the prompt."""
    answer = write_down(whisper, fetched(lambda: jfk("jfk.wav")))

    usage = answer.completed.usage
    assert (usage.prompt_audio_tokens, usage.prompt_text_tokens) == (1500, 2)
    assert [(part.field, part.tokens) for part in answer.started.parts] == [
        ("media[0].audio", 1500)
    ]


def test_a_prompt_without_a_sound_spoils_nothing(whisper: GenerationServiceStub) -> None:
    """Once it was answered with nonsense, and so was every sound after it."""
    recording = fetched(lambda: jfk("jfk.wav"))

    with pytest.raises(grpc.RpcError) as refusal:
        ask(whisper, generation_service_pb2.GenerateRequest(text=PROMPT))

    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert words(write_down(whisper, recording).outputs[0].text) == words(recording.said)


def test_a_conversation_is_written_down_too(whisper: GenerationServiceStub) -> None:
    """The format of the family starts the transcript; a text is what was said before."""
    recording = fetched(lambda: jfk("jfk.wav"))
    parts = [conversation_pb2.Part(text="An inaugural address."), sound_of(recording)]
    message = conversation_pb2.Message(role=conversation_pb2.ROLE_USER, parts=parts)
    conversation = conversation_pb2.Conversation(messages=[message])

    answer = ask(whisper, generation_service_pb2.GenerateRequest(conversation=conversation))

    assert words(answer.outputs[0].text) == words(recording.said)
    assert [part.field for part in answer.started.parts] == [
        "conversation.messages[0].parts[1].audio"
    ]
