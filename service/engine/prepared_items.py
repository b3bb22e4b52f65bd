"""What a model's processor makes of one medium, and how it gets into vLLM's prompts.

vLLM's processors split their work: the Hugging Face processor turns each medium into tensors (an
item of keyword arguments) and prompt updates; then the updates of all media are applied to the
prompt. Between the two lies vLLM's processor cache. So a worker process runs the first half and
catches its result in a cache of its own (`ItemCatcher`), and the server's renderer, which finds
every item in the cache that it looks into (`ItemLender`), runs only the second. Both are vLLM's own
code; only the caches, whose interface is public, are ours. See
vllm/multimodal/processing/processor.py, `_cached_apply_hf_processor`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from vllm.multimodal.cache import BaseMultiModalProcessorCache
from vllm.multimodal.inputs import MultiModalKwargsItem
from vllm.multimodal.processing.processor import ResolvedPromptUpdate
from vllm.utils.cache import CacheInfo


@dataclass(frozen=True, slots=True)
class PreparedItem:
    """One medium, preprocessed: the model's keyword arguments, and what it does to a prompt.

    `sound` is a video's sound track, for vLLM an audio of its own.
    """

    kwargs: MultiModalKwargsItem
    updates: Sequence[ResolvedPromptUpdate]
    sound: PreparedItem | None = None


class ItemCatcher(BaseMultiModalProcessorCache):
    """An empty cache that keeps what a processor wants to put into it, in that order."""

    def __init__(self) -> None:
        self.caught: list[PreparedItem] = []

    def is_cached_item(self, mm_hash: str) -> bool:
        """Nothing ever is."""
        return False

    def get_and_update_item(self, mm_item: Any, mm_hash: str) -> Any:
        """Catch the item."""
        self.caught.append(PreparedItem(*mm_item))
        return mm_item

    def touch_sender_cache_item(self, mm_hash: str) -> None:
        """Do nothing."""

    def clear_cache(self) -> None:
        """Do nothing."""

    def make_stats(self, *, delta: bool = False) -> CacheInfo:
        """Nothing is counted."""
        return CacheInfo(0, 0)


class ItemLender(BaseMultiModalProcessorCache):
    """Has the items of the prompts that are being rendered; stands in front of vLLM's own cache.

    That one (None when it is switched off) mirrors what the engine process holds. It is asked when
    a prompt is sent, in the order of sending, and not when it is rendered: so the mirror is right
    also when requests overtake each other or are cancelled in between.
    """

    def __init__(self, mirror: BaseMultiModalProcessorCache | None) -> None:
        self._mirror = mirror
        # Several prompts may be rendered with the same medium at once.
        self._lent: defaultdict[str, list[PreparedItem]] = defaultdict(list)

    @contextmanager
    def lend(self, items: dict[str, PreparedItem]) -> Iterator[None]:
        """Let the renderer find these items, by their hashes, while the block runs."""
        for mm_hash, item in items.items():
            self._lent[mm_hash].append(item)
        try:
            yield
        finally:
            for mm_hash in items:
                self._lent[mm_hash].pop()
                if not self._lent[mm_hash]:
                    del self._lent[mm_hash]

    def to_send(self, items: Sequence[tuple[str, PreparedItem]]) -> list[Any]:
        """Return the keyword arguments for the engine: None for each item that it has already.

        `items` are all of a prompt's, with their hashes, in the order of their places. The engine
        process marks all of them as used before it adds the first, which may evict others: only in
        the same order does the mirror evict the same ones.
        """
        if self._mirror is None:
            return [item.kwargs for _, item in items]
        for mm_hash, _ in items:
            self._mirror.touch_sender_cache_item(mm_hash)
        try:
            return [
                self._mirror.get_and_update_item((item.kwargs, item.updates), mm_hash)[0]
                for mm_hash, item in items
            ]
        finally:
            self._mirror.release_sender_touches()

    def is_cached_item(self, mm_hash: str) -> bool:
        """Tell whether it is lent."""
        return mm_hash in self._lent

    def get_and_update_item(self, mm_item: Any, mm_hash: str) -> Any:
        """Return a lent item."""
        item = self._lent[mm_hash][-1]
        return item.kwargs, item.updates

    def touch_sender_cache_item(self, mm_hash: str) -> None:
        """Do nothing: `to_send` touches."""

    def invalidate(self, mm_hash: str) -> None:
        """Forget that the engine has an item."""
        if self._mirror is not None:
            self._mirror.invalidate(mm_hash)

    def clear_cache(self) -> None:
        """Forget what the engine has."""
        if self._mirror is not None:
            self._mirror.clear_cache()

    def make_stats(self, *, delta: bool = False) -> CacheInfo:
        """Count what was sent and what the engine had."""
        return CacheInfo(0, 0) if self._mirror is None else self._mirror.make_stats(delta=delta)

    def close(self) -> None:
        """Close vLLM's own cache."""
        if self._mirror is not None:
            self._mirror.close()
