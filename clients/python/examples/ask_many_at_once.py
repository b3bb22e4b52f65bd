"""Ask about several pictures at once: `python ask_many_at_once.py localhost:50051 a.jpg b.jpg`."""

import asyncio
import sys

from triptych_client import AsyncClient


async def main(target: str, pictures: list[str]) -> None:
    """Print one answer a line, in the order of the pictures."""
    async with AsyncClient(target) as client:
        questions = (
            client.generate_unary("What is in this picture?", images=[picture])
            for picture in pictures
        )
        for picture, answer in zip(pictures, await asyncio.gather(*questions), strict=True):
            print(f"{picture}: {answer.text}")


asyncio.run(main(sys.argv[1], sys.argv[2:]))
