"""What is stored, for whom, how much room it takes, and what goes first. Touches no disk.

An `Entry` says that one caller has uploaded one content; a `Content` is the file, which all who
have uploaded the same bytes share. Everything is looked up by caller: to know a hash or another
caller's media_id is to know nothing.

Room is counted as a disk gives it, in blocks: one for each entry, and the content's own. A
content that a request still reads takes its room until it is closed, also when it is no longer
listed. Thread-compatible: `shelf.Shelf` holds a lock around every call.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BYTES = 4096
_MEDIA_ID_CHARACTERS = 40


def caller_key(caller: str) -> str:
    """Return a name for a caller that is safe as a file's name: 64 hexadecimal digits."""
    return hashlib.sha256(b"caller\0" + caller.encode(errors="surrogatepass")).hexdigest()


def media_id_of(key: str, sha256: bytes) -> str:
    """Return the id of a content for a caller (by its key).

    The same on every server and after every restart, so an id holds wherever the medium is. It
    opens nothing to others, who may compute it: it is only looked up among the caller's own.
    """
    return hashlib.sha256(f"media\0{key}\0".encode() + sha256).hexdigest()[:_MEDIA_ID_CHARACTERS]


def blocks(size_bytes: int) -> int:
    """Return the room that a file takes, in bytes."""
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES


@dataclass(slots=True, eq=False)
class Content:
    """A file of the store. `entries` counts its callers, `uses` the requests that read it now.

    `is_verified` says that this process has seen that the bytes have that hash.
    """

    sha256: bytes
    size_bytes: int
    is_verified: bool
    entries: int = 0
    uses: int = 0


@dataclass(slots=True, eq=False)
class Entry:
    """One content of one caller. Times are seconds since 1970."""

    caller_key: str
    content: Content
    kept_at_s: float
    used_at_s: float

    @property
    def media_id(self) -> str:
        """What the caller calls it."""
        return media_id_of(self.caller_key, self.content.sha256)


class Catalogue:
    """All entries, in two orders: by age, and by use."""

    def __init__(self, max_bytes: int, max_age_s: float) -> None:
        self._max_bytes = max_bytes
        self._max_age_s = max_age_s
        self._taken_bytes = 0
        self._contents: dict[bytes, Content] = {}
        self._by_age: OrderedDict[str, Entry] = OrderedDict()
        self._by_use: OrderedDict[str, Entry] = OrderedDict()

    @property
    def taken_bytes(self) -> int:
        """The room that is taken, reservations included."""
        return self._taken_bytes

    def content(self, sha256: bytes) -> Content | None:
        """Return the listed content of that hash."""
        return self._contents.get(sha256)

    def entry(self, key: str, media_id: str) -> Entry | None:
        """Return an entry of that caller."""
        entry = self._by_use.get(media_id)
        return entry if entry is not None and entry.caller_key == key else None

    def entries_of(self, content: Content) -> list[Entry]:
        """Return who has a content. Slow; for contents that turn out to be damaged."""
        return [entry for entry in self._by_use.values() if entry.content is content]

    def expires_at_s(self, entry: Entry) -> float:
        """Return when an entry may be forgotten."""
        return entry.kept_at_s + self._max_age_s

    def add(self, entry: Entry) -> None:
        """List an entry that is not listed, as the youngest and the last used."""
        content = entry.content
        if not content.entries:
            self._contents[content.sha256] = content
            self._taken_bytes += blocks(content.size_bytes)
        content.entries += 1
        self._taken_bytes += BLOCK_BYTES
        self._by_age[entry.media_id] = entry
        self._by_use[entry.media_id] = entry

    def sort(self) -> None:
        """Bring both orders in line with the times, after entries were added in any order."""
        entries = list(self._by_use.values())
        self._by_age = OrderedDict(
            (entry.media_id, entry) for entry in sorted(entries, key=lambda each: each.kept_at_s)
        )
        self._by_use = OrderedDict(
            (entry.media_id, entry) for entry in sorted(entries, key=lambda each: each.used_at_s)
        )

    def keep(self, entry: Entry, now_s: float) -> None:
        """Count the entry as new."""
        entry.kept_at_s = now_s
        self._by_age.move_to_end(entry.media_id)
        self.use(entry, now_s)

    def use(self, entry: Entry, now_s: float) -> None:
        """Count the entry as just used."""
        entry.used_at_s = now_s
        self._by_use.move_to_end(entry.media_id)

    def remove(self, entry: Entry) -> bool:
        """Strike an entry; True when nobody has its content any more, so that its file goes."""
        del self._by_age[entry.media_id], self._by_use[entry.media_id]
        content = entry.content
        content.entries -= 1
        self._taken_bytes -= BLOCK_BYTES
        if content.entries:
            return False
        del self._contents[content.sha256]
        if not content.uses:
            self._taken_bytes -= blocks(content.size_bytes)
        return True

    def end_use(self, content: Content) -> None:
        """Count one reader less."""
        content.uses -= 1
        if not content.uses and not content.entries:
            self._taken_bytes -= blocks(content.size_bytes)

    def reserve(self, size_bytes: int) -> None:
        """Take room for what is being uploaded; a negative size gives it back."""
        self._taken_bytes += size_bytes

    def expired(self, now_s: float) -> Iterator[Entry]:
        """Give the entries whose time is over; the caller removes each before it asks for more."""
        while self._by_age:
            entry = next(iter(self._by_age.values()))
            if self.expires_at_s(entry) > now_s:
                return
            yield entry

    def superfluous(self, wanted_bytes: int = 0) -> list[Entry] | None:
        """Return what must go to make room, longest unused first; None when that cannot be.

        What a request reads stays: to strike it would give no room.
        """
        surplus = self._taken_bytes + wanted_bytes - self._max_bytes
        found: list[Entry] = []
        left: dict[Content, int] = {}
        for entry in self._by_use.values():
            if surplus <= 0:
                break
            content = entry.content
            if content.uses:
                continue
            left[content] = left.get(content, content.entries) - 1
            surplus -= BLOCK_BYTES + (0 if left[content] else blocks(content.size_bytes))
            found.append(entry)
        return found if surplus <= 0 else None
