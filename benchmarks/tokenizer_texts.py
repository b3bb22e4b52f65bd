"""The texts for the tokenizer benchmarks, made of what lies on the machine under a free licence.

Prose is Python's language reference, code is Python's standard library (both in every Python), and
many languages are the sentences of Django's translations (a pinned wheel, never installed). The
same machine makes the same texts each time; none is kept in the repository.

A set is a folder of texts that are timed together, and the first part of its name is its kind:
warm_PROSE_SIZE is encoded before it is timed; cold_PROSE is not, and shares no text with the warm
sets; worst_* is one hard text, timed the first time that it is seen; seed_* is a little text like
no other, which a tokenizer sees before all else.
"""

from __future__ import annotations

import gettext
import itertools
import random
import re
import shutil
import string
import sysconfig
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

SIZES = {100: 32, 1_000: 16, 10_000: 4, 100_000: 1}
KINDS = ("prose", "code", "multilingual")
COLD_CHUNKS = 120
_WARM_BYTES = 110_000
_CHUNK = 1_000
_WORST = 50_000
_FILLER = "Lorem ipsum dolor sit amet, consectetur adipiscing elit; 12 sed do (eiusmod)\n\ttempor. "
_LANGUAGES = (
    *("de", "fr", "es", "ru", "el", "ar", "he", "hi", "th", "zh_Hans", "ja", "ko", "vi", "tr"),
    *("pl", "fa", "bn", "ka", "pt", "it", "uk", "zh_Hant", "sv", "ta", "hu", "cs", "mr", "fi"),
)


def write_text_sets(folder: Path, translations: Path) -> None:
    """Write all sets to `folder`; `translations` is Django's wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    makers = {
        "prose": _prose,
        "code": _code,
        "multilingual": lambda: _multilingual(translations),
    }
    corpora = {kind: list(make()) for kind, make in makers.items()}
    for kind, pieces in corpora.items():
        data = "".join(pieces).encode()
        needed = _WARM_BYTES + COLD_CHUNKS * _CHUNK
        assert len(data) >= needed, f"{kind}: {len(data)} bytes of {needed}"
        for size, count in SIZES.items():
            step = (_WARM_BYTES - size) // count
            chunks = [data[i * step : i * step + size] for i in range(count)]
            _write_set(folder / f"warm_{kind}_{size}", chunks)
        starts = range(_WARM_BYTES, needed, _CHUNK)
        _write_set(folder / f"cold_{kind}", [data[i : i + _CHUNK] for i in starts])
    _write_set(folder / "seed_filler", [_FILLER.encode()])
    for name, text in _worst_texts(list(itertools.chain.from_iterable(corpora.values()))):
        _write_set(folder / f"worst_{name}", [text.encode()])


def _write_set(folder: Path, texts: list[bytes]) -> None:
    folder.mkdir(parents=True)
    for number, text in enumerate(texts):
        # A cut may have left a part of a character at either end.
        whole = text.decode(errors="ignore")
        (folder / f"{number:04}.txt").write_bytes(whole.encode())


def _prose() -> Iterator[str]:
    """Yield the paragraphs of the language reference; its lists and examples are left out."""
    from pydoc_data import topics

    seen: set[str] = set()
    for name in sorted(topics.topics):
        for paragraph in re.split(r"\n\s*\n", topics.topics[name]):
            text = " ".join(textwrap.dedent(paragraph).split())
            is_prose = len(text) > 120 and "::=" not in text and ">>>" not in text
            if is_prose and text not in seen:
                seen.add(text)
                yield f"{text}\n\n"


def _code() -> Iterator[str]:
    """Yield sources of the standard library, in a mixed order."""
    paths = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    random.Random(1).shuffle(paths)
    for path in paths[:40]:
        yield path.read_text()


def _multilingual(translations: Path) -> Iterator[str]:
    """Yield sentences, some in one language, then some in the next."""
    sentences = {language: _sentences(translations, language) for language in _LANGUAGES}
    random_ = random.Random(2)
    while any(sentences.values()):
        for language in random_.sample(_LANGUAGES, len(_LANGUAGES)):
            some, sentences[language] = sentences[language][:4], sentences[language][4:]
            yield "".join(f"{sentence}\n" for sentence in some)


def _sentences(translations: Path, language: str) -> list[str]:
    found: set[str] = set()
    with zipfile.ZipFile(translations) as wheel:
        for name in wheel.namelist():
            if name.endswith(f"/locale/{language}/LC_MESSAGES/django.mo"):
                with wheel.open(name) as file:
                    catalogue = gettext.GNUTranslations(file)
                    messages = vars(catalogue)["_catalog"].values()
                found.update(m for m in messages if len(m.encode()) > 40 and "Plural" not in m)
    sentences = sorted(found)
    random.Random(3).shuffle(sentences)
    return sentences


def _worst_texts(pieces: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what slow tokenizers are slow at, with its name."""
    random_ = random.Random(4)
    yield "one_letter", "a" * _WORST
    yield "spaces", " " * _WORST
    yield "random_letters", "".join(random_.choices(string.ascii_lowercase, k=_WORST))
    yield "cjk", "".join(chr(random_.randint(0x4E00, 0x9FA5)) for _ in range(_WORST // 3))
    large = "".join(random_.choice(pieces)[:2000] for _ in range(60_000)).encode()
    yield "10mb", large[:10_000_000].decode(errors="ignore")
