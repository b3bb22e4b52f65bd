"""The lender, in front of the very cache of vLLM that mirrors the engine process's own."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from vllm.multimodal.cache.base import MultiModalCacheMissError
from vllm.multimodal.cache.lru import LruKeyReplicatedReceiverCache, LruKeyReplicatedSenderCache
from vllm.multimodal.inputs import (
    MultiModalBatchedField,
    MultiModalFieldElem,
    MultiModalKwargsItem,
)

from service.engine.prepared_items import ItemCatcher, ItemLender, PreparedItem

ITEM_FLOATS = 1000
ITEM_BYTES = 4 * ITEM_FLOATS


def model_config(items: int) -> Any:
    """What vLLM's caches read of a model: room for so many items."""
    settings = SimpleNamespace(mm_processor_cache_gb=(items + 0.5) * ITEM_BYTES / (1 << 30))
    return SimpleNamespace(get_multimodal_config=lambda: settings)


def item(number: int, floats: int = ITEM_FLOATS) -> PreparedItem:
    """An item whose values tell it from others."""
    values = torch.full((floats,), float(number))
    element = MultiModalFieldElem(data=values, field=MultiModalBatchedField())
    return PreparedItem(MultiModalKwargsItem({"pixels": element}), [])


class Engine:
    """The engine process's side: vLLM's own cache, and what it makes of a request."""

    def __init__(self, items: int) -> None:
        self.cache = LruKeyReplicatedReceiverCache(model_config(items))
        self.misses = 0

    def take(self, sent: list[tuple[str, Any]]) -> list[float] | list[str]:
        """Return the values of a request's items; or the hashes that were missed, as vLLM tells."""
        features = [
            SimpleNamespace(mm_hash=name, identifier=name, data=data) for name, data in sent
        ]
        try:
            self.cache.get_and_update_features(features)
        except MultiModalCacheMissError as miss:
            self.misses += 1
            return list(miss.mm_hashes)
        return [float(feature.data["pixels"].data[0]) for feature in features]


def make_lender(items: int) -> ItemLender:
    return ItemLender(LruKeyReplicatedSenderCache(model_config(items)))


def send(lender: ItemLender, numbers: list[int]) -> list[tuple[str, Any]]:
    names = [str(number) for number in numbers]
    return list(zip(names, lender.to_send([(str(n), item(n)) for n in numbers]), strict=True))


def test_an_item_is_sent_once() -> None:
    """The engine has it then."""
    lender, engine = make_lender(2), Engine(2)

    first, second = send(lender, [1]), send(lender, [1])

    assert first[0][1] is not None
    assert second[0][1] is None
    assert engine.take(first) == engine.take(second) == [1.0]


def test_without_vllms_cache_every_item_is_sent() -> None:
    lender = ItemLender(None)

    assert all(data is not None for _, data in send(lender, [1, 1]))
    lender.invalidate("1")
    lender.clear_cache()
    lender.close()
    assert lender.make_stats().total == 0


def test_an_item_that_is_too_large_for_the_cache_is_sent_every_time() -> None:
    lender = make_lender(2)
    large = item(1, 3 * ITEM_FLOATS)

    assert lender.to_send([("1", large)]) != [None]
    assert lender.to_send([("1", large)]) != [None]


@pytest.mark.parametrize("room", [1, 2, 3, 5, 8])
def test_the_engine_has_what_is_not_sent(room: int) -> None:
    """Requests of one to four items, with repeats, evict each other: no item is missed."""
    lender, engine, chosen = make_lender(room), Engine(room), random.Random(room)
    held_back = 0

    for _ in range(2000):
        numbers = [chosen.randrange(10) for _ in range(chosen.randint(1, 4))]
        sent = send(lender, numbers)
        held_back += sum(data is None for _, data in sent)
        assert engine.take(sent) == [float(number) for number in numbers]

    assert engine.misses == 0
    assert held_back > 100


def test_a_request_that_never_reached_the_engine_costs_one_more_try() -> None:
    """vLLM tells the lender what was missed, and then it is sent."""
    lender, engine = make_lender(4), Engine(4)
    send(lender, [1, 2])

    missed = engine.take(send(lender, [2, 1, 3]))
    assert missed == ["2", "1"]
    for name in missed:
        lender.invalidate(name)

    assert engine.take(send(lender, [2, 1, 3])) == [2.0, 1.0, 3.0]


def test_a_lent_item_is_found_only_while_it_is_lent() -> None:
    """Two prompts may be rendered with the same medium at once."""
    lender, lent = make_lender(2), item(7)

    with lender.lend({"7": lent}):
        with lender.lend({"7": lent, "8": item(8)}):
            assert lender.is_cached_item("8")
            assert lender.get_and_update_item(None, "7") == (lent.kwargs, lent.updates)
        assert lender.is_cached_item("7")
        assert not lender.is_cached_item("8")

    assert not lender.is_cached_item("7")


def test_lending_says_nothing_of_what_the_engine_has() -> None:
    """A prompt that is rendered and then given up leaves the mirror as it was."""
    lender = make_lender(2)

    with lender.lend({"7": item(7)}):
        lender.touch_sender_cache_item("7")
        lender.get_and_update_item(None, "7")

    assert send(lender, [7])[0][1] is not None


def test_what_is_sent_and_what_is_not_is_counted() -> None:
    lender = make_lender(2)
    send(lender, [1, 1, 2])

    stats = lender.make_stats()

    assert (stats.hits, stats.total) == (1, 3)


def test_the_catcher_keeps_what_is_put_into_it() -> None:
    """It has nothing, so the processor makes everything."""
    catcher, made = ItemCatcher(), item(3)

    assert not catcher.is_cached_item("3")
    assert catcher.get_and_update_item((made.kwargs, made.updates), "3") == (
        made.kwargs,
        made.updates,
    )
    assert catcher.caught == [made]
    assert not catcher.is_cached_item("3")
