"""A process that stores one medium, then hangs in the middle of another; killed by its test.

Arguments: the store's directory. Prints a line when it is where it is to be killed.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path

from service.media.store.media_store import MediaStore

WHOLE = b"whole" * 1000
HALF = b"half" * 1000


async def main() -> None:
    store = await MediaStore.start(
        Path(sys.argv[1]), max_bytes=1 << 20, max_age_s=3600, max_medium_bytes=1 << 20
    )
    upload = await store.begin("alice", "", len(WHOLE), hashlib.sha256(WHOLE).digest())
    await upload.write(WHOLE)
    await upload.commit()
    upload = await store.begin("alice", "", 2 * len(HALF), hashlib.sha256(HALF * 2).digest())
    await upload.write(HALF)
    print("half-way", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
