"""How each reason that a medium may give is provoked; importing this adds them to error_reasons."""

from __future__ import annotations

from service.ports import WorkerEnd, WorkerEndedError
from tests.unit.media.fetch.web import page
from tests.unit.media.files import encode_image, gradient
from tests.unit.rpc.error_bench import ErrorBench
from tests.unit.rpc.error_reasons import provokes
from triptych.v1 import media_pb2

PNG = encode_image(gradient(40, 30), "PNG")


@provokes("MEDIA_UNDECODABLE")
async def send_no_picture(bench: ErrorBench) -> None:
    bench.use_media()
    await bench.ask_about("image", data=b"this is a text")


@provokes("LIMIT_EXCEEDED")
async def send_a_picture_of_too_many_pixels(bench: ErrorBench) -> None:
    bench.use_media()
    await bench.ask_about("image", data=PNG, limits=media_pb2.MediaLimits(image_pixels=1000))


@provokes("MODALITY_UNSUPPORTED")
async def send_a_kind_that_the_model_does_not_take(bench: ErrorBench) -> None:
    await bench.ask_about("video", data=b"a clip")


@provokes("MEDIA_SOURCE_UNSUPPORTED")
async def name_a_source_that_is_off(bench: ErrorBench) -> None:
    bench.use_media()
    await bench.ask_about("image", url="https://example.com/photo.png")


@provokes("MEDIA_SOURCE_FORBIDDEN")
async def name_a_host_that_is_not_allowed(bench: ErrorBench) -> None:
    bench.use_media(allowed_hosts=("example.com",))
    await bench.ask_about("image", url="http://localhost/photo.png")


@provokes("MEDIA_FETCH_FAILED")
async def name_a_file_that_is_not_there(bench: ErrorBench) -> None:
    web = await bench.start_web()
    bench.use_media(allowed_hosts=(f"127.0.0.1:{web.port}",))
    await bench.ask_about("image", url=f"http://127.0.0.1:{web.port}/photo.png")


@provokes("MEDIA_FETCH_UNAVAILABLE")
async def name_a_host_in_trouble(bench: ErrorBench) -> None:
    web = await bench.start_web()
    web.pages["/photo.png"] = page(b"too busy", status="503 Service Unavailable")
    bench.use_media(allowed_hosts=(f"127.0.0.1:{web.port}",))
    await bench.ask_about("image", url=f"http://127.0.0.1:{web.port}/photo.png")


@provokes("MEDIA_NOT_FOUND")
async def name_an_upload_that_never_was(bench: ErrorBench) -> None:
    await bench.open_store()
    bench.use_media()
    await bench.ask_about("image", media_id="0" * 64)


@provokes("MEDIA_BUDGET_EXCEEDED")
async def send_more_than_may_be_in_flight(bench: ErrorBench) -> None:
    bench.use_media(in_flight_bytes=len(PNG) - 1)
    await bench.ask_about("image", data=PNG)


@provokes("MEDIA_WORKER_LOST")
async def lose_the_worker(bench: ErrorBench) -> None:
    bench.use_media()
    bench.workers.next_end = WorkerEndedError(WorkerEnd.LOST)
    await bench.ask_about("image", data=PNG)
