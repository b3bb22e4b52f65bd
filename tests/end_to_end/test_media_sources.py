"""Every source of every kind: the same file gives the same answer, and is prepared once."""

from __future__ import annotations

import hashlib
from typing import Any

import grpc
import pytest

from tests.end_to_end.media_files import NEW, new_picture
from tests.end_to_end.media_parts import data_uri, medium, upload
from tests.end_to_end.media_state import busy_worker, held_bytes, parts_counted
from tests.end_to_end.requests import MEDIA, Refusal, answer, ask, start_answer, text

KINDS = ("image", "audio", "video")
SOURCES = ("data", "data_uri", "url", "path", "media_id")
FILES = {"image": "picture.jpg", "audio": "sound.wav", "video": "clip.mp4"}
MIME_TYPES = {"image": "image/jpeg", "audio": "audio/wav", "video": "video/mp4"}
QUESTIONS = {
    "image": "What is this?",
    "audio": "What do you hear?",
    "video": "Which way does it move?",
}
AT_ONCE = 8


@pytest.fixture(scope="module")
def sources(web: Any, media: Any) -> dict[str, dict[str, dict[str, Any]]]:
    """The sources of each kind's file, by name."""
    found = {}
    for kind, name in FILES.items():
        data = (MEDIA / name).read_bytes()
        found[kind] = {
            "data": {"data": data},
            "data_uri": {"data_uri": data_uri(data, MIME_TYPES[kind])},
            "url": {"url": web.put(name, data)},
            "path": {"path": str(MEDIA / name)},
            "media_id": {"media_id": upload(media, data)},
        }
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_source_of_a_file_gets_the_same_answer(
    generation: Any, sources: Any, kind: str
) -> None:
    answers = {}
    for source in SOURCES:
        part = medium(kind, sources[kind][source])
        answers[source] = answer(generation, ask(part, text(QUESTIONS[kind]))).outputs[0].text

    assert len(set(answers.values())) == 1, answers
    assert answers["data"]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_medium_is_fetched_each_time_and_prepared_once(
    generation: Any, web: Any, media: Any, kind: str, source: str
) -> None:
    """The second time nothing is decoded or preprocessed, whatever the source."""
    if source == "path":
        (data,) = [(MEDIA / FILES[kind]).read_bytes()]
        # Nobody else asks for the file in this way.
        options = {"max_pixels": 5003} if kind == "image" else {"end_s": 1.003}
    else:
        data, options = NEW[kind](), {}
    made = {
        "data": lambda: {"data": data},
        "data_uri": lambda: {"data_uri": data_uri(data, "")},
        "url": lambda: {"url": web.put(f"new-{kind}", data)},
        "path": lambda: {"path": str(MEDIA / FILES[kind])},
        "media_id": lambda: {"media_id": upload(media, data)},
    }[source]()
    request = ask(medium(kind, made, **options), text("?"), max_tokens=4)

    first = answer(generation, request)
    second = answer(generation, request)

    timings = first.completed.timings
    assert timings.HasField("fetch")
    assert timings.HasField("decode")
    assert timings.HasField("preprocess")
    assert timings.cached_media_parts == 0
    timings = second.completed.timings
    assert timings.HasField("fetch")
    assert not timings.HasField("decode")
    assert not timings.HasField("preprocess")
    assert timings.cached_media_parts == 1
    assert second.outputs[0].text == first.outputs[0].text


def test_what_was_prepared_is_used_for_every_source(generation: Any, web: Any, media: Any) -> None:
    """Equal bytes are equal media, wherever they come from."""
    data = new_picture()
    answer(generation, ask(medium("image", {"data": data}), max_tokens=1))
    others = (
        {"data_uri": data_uri(data, "image/png")},
        {"url": web.put("same", data)},
        {"media_id": upload(media, data)},
    )

    for source in others:
        timings = answer(generation, ask(medium("image", source), max_tokens=1)).completed.timings
        assert timings.cached_media_parts == 1, source


def test_the_same_bytes_wanted_otherwise_are_another_medium(generation: Any) -> None:
    data = new_picture(320, 240)
    sizes = [
        answer(generation, ask(medium("image", {"data": data}, max_pixels=pixels), max_tokens=1))
        for pixels in (None, 2000)
    ]

    assert [one.completed.timings.cached_media_parts for one in sizes] == [0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_equal_media_at_once_are_prepared_once(server: Any, generation: Any, kind: str) -> None:
    """All of them are in flight before the only worker looks at the first."""
    data = NEW[kind]()
    before = {result: parts_counted(server, result) for result in ("prepared", "cached")}
    request = ask(medium(kind, {"data": data}), text("?"), max_tokens=8)

    with busy_worker(server):
        calls = [start_answer(generation, request) for _ in range(AT_ONCE)]
        server.wait_until(lambda: held_bytes(server) == AT_ONCE * len(data))
    answers = [call.result() for call in calls]

    assert len({one.outputs[0].text for one in answers}) == 1
    assert parts_counted(server, "prepared") - before["prepared"] == 1
    assert parts_counted(server, "cached") - before["cached"] == AT_ONCE - 1
    cached = [one.completed.timings.cached_media_parts for one in answers]
    assert sorted(cached) == [0] + [1] * (AT_ONCE - 1)
    assert held_bytes(server) == 0


def test_the_same_medium_twice_in_one_request_is_prepared_once(generation: Any) -> None:
    """And the model sees both."""
    data = new_picture()
    request = ask(medium("image", {"data": data}), medium("image", {"data": data}), max_tokens=4)

    whole = answer(generation, request)

    assert whole.completed.timings.cached_media_parts == 1
    assert len(whole.started.parts) == 2
    assert whole.outputs[0].text == answer(generation, request).outputs[0].text


def test_a_url_of_another_host_is_never_asked(generation: Any, web: Any) -> None:
    """The list names 127.0.0.1 and no name for it."""
    url = web.put("secret", new_picture()).replace("127.0.0.1", "localhost")

    refusal = Refusal.of(generation, ask(medium("image", {"url": url})))

    assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
    assert refusal.info.reason == "MEDIA_SOURCE_FORBIDDEN"
    assert refusal.info.metadata["field"] == "conversation.messages[0].parts[0].image.source.url"
    assert not web.asked["/secret"]


def test_a_url_that_is_not_there_tells_the_status(generation: Any, web: Any) -> None:
    url = web.put("known", b"") + "-not"

    refusal = Refusal.of(generation, ask(text("?"), medium("image", {"url": url})))

    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION
    assert refusal.info.reason == "MEDIA_FETCH_FAILED"
    assert refusal.info.metadata["field"] == "conversation.messages[0].parts[1].image.source.url"
    assert refusal.info.metadata["http_status"] == "404"


def test_a_path_outside_of_the_roots_is_forbidden(generation: Any) -> None:
    """Also one that a path below a root leads to."""
    outside = MEDIA.parent / "model" / "config.json"
    for path in (str(outside), f"{MEDIA}/../model/config.json", "/dev/zero", "/proc/self/environ"):
        refusal = Refusal.of(generation, ask(medium("image", {"path": path})))

        assert refusal.code is grpc.StatusCode.PERMISSION_DENIED
        assert refusal.info.reason == "MEDIA_SOURCE_FORBIDDEN"


def test_a_medium_that_is_not_stored_is_not_found(generation: Any) -> None:
    refusal = Refusal.of(generation, ask(medium("image", {"media_id": "0" * 64})))

    assert refusal.code is grpc.StatusCode.NOT_FOUND
    assert refusal.info.reason == "MEDIA_NOT_FOUND"


def test_a_wrong_digest_is_refused(generation: Any) -> None:
    source = {"data": new_picture(), "sha256": hashlib.sha256(b"another").digest()}

    refusal = Refusal.of(generation, ask(medium("image", source)))

    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == ["conversation.messages[0].parts[0].image.source.sha256"]


def test_a_wrong_mime_type_is_refused_also_when_the_medium_is_known(generation: Any) -> None:
    """What is in the cache has been decoded, but not under that claim."""
    data = new_picture()
    answer(generation, ask(medium("image", {"data": data}), max_tokens=1))

    refusal = Refusal.of(
        generation, ask(medium("image", {"data": data, "mime_type": "image/jpeg"}))
    )

    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.info.reason == "MEDIA_UNDECODABLE"
