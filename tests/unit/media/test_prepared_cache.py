"""The cache of prepared media stays within its bound and keeps what is used."""

from __future__ import annotations

from service.domain.conversation import Modality
from service.domain.media import MediaDescription
from service.media.prepared_cache import PreparedCache
from service.media.tasks import Preparation


def prepared(size_bytes: int) -> Preparation:
    return Preparation(MediaDescription(Modality.IMAGE, "image/png", 1), None, size_bytes, 0, 0)


def test_the_least_recently_used_goes_first() -> None:
    cache = PreparedCache(30)
    for name in "abc":
        cache.put(name, prepared(10))
    assert cache.get("a") is not None
    cache.put("d", prepared(10))
    assert [name for name in "abcd" if cache.get(name)] == ["a", "c", "d"]
    assert cache.size_bytes == 30


def test_a_large_one_drives_out_several_and_too_large_a_one_none() -> None:
    cache = PreparedCache(30)
    for name in "abc":
        cache.put(name, prepared(10))
    cache.put("too large", prepared(31))
    assert cache.size_bytes == 30
    cache.put("large", prepared(25))
    assert [name for name in ("a", "b", "c", "large") if cache.get(name)] == ["large"]
    assert cache.size_bytes == 25
