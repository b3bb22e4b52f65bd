"""Ask the service the held-out questions and print the score of each task.

    python -m demo.evaluate --number 100

Starts a server on the demo model, unless --target names a running one. Exit code 1 when a task
misses its target.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import triptych_client
from demo import scoring
from demo.server import running_server

if TYPE_CHECKING:
    from demo.evaluation_set import Item, Media

_AT_ONCE = 16
_MAX_TOKENS = 96


def to_part(part: str | Media) -> Any:
    """Turn one part of an item into the client's part."""
    if isinstance(part, str):
        return part
    classes = {
        "image": triptych_client.Image,
        "audio": triptych_client.Audio,
        "video": triptych_client.Video,
    }
    return classes[part.kind](data=part.data)


def answer(client: triptych_client.Client, item: Item) -> str:
    """Ask one item and return the whole answer."""
    parts = [to_part(part) for part in item.parts]
    return "".join(client.generate(parts, temperature=0, max_tokens=_MAX_TOKENS))


def main() -> int:
    """Read the flags, ask everything, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", help="address of a running service to ask instead")
    parser.add_argument("--model", help="checkpoint to serve instead of the demo model")
    parser.add_argument("--number", type=int, default=100, help="items a task")
    parser.add_argument(
        "--mistakes", type=int, default=0, help="wrong answers to show of each task"
    )
    flags = parser.parse_args()
    items = scoring.all_items(flags.number)
    server = (
        triptych_client.Client(flags.target)
        if flags.target
        else running_server(*([flags.model] if flags.model else []))
    )
    with server as client, ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda item: answer(client, item), items))
    return 0 if scoring.report(scoring.score(items, answers), flags.mistakes) else 1


if __name__ == "__main__":
    sys.exit(main())
