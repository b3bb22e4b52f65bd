"""Write normalizer_tables.cc: the Unicode data that the normalizers of `tokenizers` really use.

Our ids must equal those of `tokenizers`, so its tables are ours, old or new: the NFC of 0.23 is of
Unicode 9, that of the 1.0 series of Unicode 16. They cannot be read out, so they are *measured*
here by running `tokenizers` of both series on every code point. Nothing else is asked. Run it again
when a pinned `tokenizers` changes, with a Python that has the 0.23 series and one that has 1.0:

    .venv/bin/python sidecar/unicode/make_normalizer_tables.py PYTHON_WITH_0_23 PYTHON_WITH_1_0 \
        > sidecar/unicode/normalizer_tables.cc

A table holds the rows of 0.23; where the two differ, the rows of 1.0 are in a table beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

BETWEEN = "\u2603"  # a snowman, which no normalizer changes and nothing becomes
SCALARS = [c for c in [*range(0xD800), *range(0xE000, 0x110000)] if c != ord(BETWEEN)]
HANGUL = range(0xAC00, 0xD7A4)  # decomposed and composed by arithmetic, so never in a table
# One mark of each combining class, from the least to the greatest.
_CLASS_MARKS = (
    "1:334 7:93C 8:3099 9:94D 10:5B0 11:5B1 12:5B2 13:5B3 14:5B4 15:5B5 16:5B6 17:5B7 18:5B8 "
    "19:5B9 20:5BB 21:5BC 22:5BD 23:5BF 24:5C1 25:5C2 26:FB1E 27:64B 28:64C 29:64D 30:64E 31:64F "
    "32:650 33:651 34:652 35:670 36:711 84:C55 91:C56 103:E38 107:E48 118:EB8 122:EC8 129:F71 "
    "130:F72 132:F74 202:321 214:1DCE 216:31B 218:302A 220:316 222:59A 224:302E 226:1D16D 228:5AE "
    "230:300 232:315 233:35C 234:35D 240:345 "
)
CLASS_MARKS = {
    int(value): int(mark, 16) for value, mark in (pair.split(":") for pair in _CLASS_MARKS.split())
}
BERT_OPTIONS = ("clean_text", "handle_chinese_chars", "strip_accents", "lowercase")

Range = tuple[int, int]
Table = dict[int, str]


def to_ranges(code_points: Iterable[int]) -> Iterator[Range]:
    """Join sorted code points into inclusive ranges: 1, 2, 3, 7 -> (1, 3), (7, 7)."""
    start = end = -1
    for code_point in code_points:
        if code_point != end + 1 or start < 0:
            if start >= 0:
                yield start, end
            start = code_point
        end = code_point
    if start >= 0:
        yield start, end


def normalizer(description: dict[str, object]) -> Callable[[list[str]], list[str]]:
    """Return what a normalizer of the running `tokenizers` makes of each of many texts.

    They go through a whole tokenizer, whose tokens are bytes: the 1.0 series shows no less. All of
    them go in one text, with `BETWEEN` between two, which no text may have.
    """
    from tokenizers import Tokenizer  # noqa: PLC0415  the series under measurement

    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    letter_of = {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(rest)}}
    byte_level = {"add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    document = {
        "version": "1.0",
        "added_tokens": [],
        "normalizer": description,
        "pre_tokenizer": {"type": "ByteLevel", **byte_level},
        "decoder": {"type": "ByteLevel", **byte_level},
        "model": {"type": "BPE", "vocab": {letter_of[b]: b for b in range(256)}, "merges": []},
    }
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "tokenizer.json"
        path.write_text(json.dumps(document))
        tokenizer = Tokenizer.from_file(str(path))

    def normalize(texts: list[str]) -> list[str]:
        return bytes(tokenizer.encode(BETWEEN.join(texts)).ids).decode().split(BETWEEN)

    return normalize


def changed_by(normalize: Callable[[list[str]], list[str]]) -> Table:
    """Return what each code point that does not stay as it is becomes."""
    characters = [chr(c) for c in SCALARS]
    results = normalize([f"a{c}b" for c in characters])
    pairs = zip(SCALARS, results, strict=True)
    return {c: result[1:-1] for c, result in pairs if result != f"a{chr(c)}b"}


def combining_classes(nfd: Callable[[list[str]], list[str]]) -> dict[int, int]:
    """Return the combining classes other than 0.

    A mark of a lower class changes places with one of a higher class in front of it.
    """
    alone = zip(SCALARS, nfd([f"a{chr(c)}b" for c in SCALARS]), strict=True)
    stable = [c for c, result in alone if result == f"a{chr(c)}b"]
    lowest, highest = chr(CLASS_MARKS[1]), chr(CLASS_MARKS[240])
    behind = nfd([f"a{chr(c)}{lowest}b" for c in stable])
    before = nfd([f"a{highest}{chr(c)}b" for c in stable])
    rows = zip(stable, behind, before, strict=True)
    marks = [c for c, x, y in rows if x != f"a{chr(c)}{lowest}b" or y != f"a{highest}{chr(c)}b"]
    classes = dict.fromkeys(marks, 0)
    for value, mark in CLASS_MARKS.items():
        texts = [f"a{chr(mark)}{chr(c)}b" for c in marks]
        stays = [text == result for text, result in zip(texts, nfd(texts), strict=True)]
        classes.update((c, value) for c, stayed in zip(marks, stays, strict=True) if stayed)
    return classes


def compositions(nfc: Callable[[list[str]], list[str]], canonical: Table) -> list[list[int]]:
    """Return (first, second, composite) for each pair that composes, Hangul left out."""
    kept = {c for c, result in changed_by(nfc).items() if result != chr(c)}
    composite_of = {parts: c for c, parts in canonical.items() if c not in kept}
    pairs = []
    for parts, composite in composite_of.items():
        first = composite_of.get(parts[:-1], ord(parts[0]) if not parts[2:] else None)
        if len(parts) > 1 and composite not in HANGUL and first is not None:
            pairs.append([first, ord(parts[-1]), composite])
    results = nfc([f"{chr(first)}{chr(second)}" for first, second, _ in pairs])
    for (_, _, composite), result in zip(pairs, results, strict=True):
        if result != chr(composite):
            sys.exit(f"U+{composite:04X} does not compose of the parts that were found")
    return sorted(pairs)


def measure() -> dict[str, object]:
    """Return all that the `tokenizers` of this Python does."""
    import tokenizers  # noqa: PLC0415  the series under measurement

    canonical = changed_by(normalizer({"type": "NFD"}))
    compatible = changed_by(normalizer({"type": "NFKD"}))

    def bert(option: str) -> Table:
        options = {name: name == option for name in BERT_OPTIONS}
        return changed_by(normalizer({"type": "BertNormalizer", **options}))

    def shown(table: Table) -> list[tuple[int, list[int]]]:
        return [(c, [ord(x) for x in to]) for c, to in table.items() if c not in HANGUL]

    return {
        "version": tokenizers.__version__,
        "Decompositions": shown(canonical),
        "Compatible": shown(
            {c: to for c, to in compatible.items() if to != canonical.get(c, chr(c))}
        ),
        "CombiningClasses": list(combining_classes(normalizer({"type": "NFD"})).items()),
        "Compositions": compositions(normalizer({"type": "NFC"}), canonical),
        "Lowercase": shown(changed_by(normalizer({"type": "Lowercase"}))),
        "Mark": list(changed_by(normalizer({"type": "StripAccents"}))),
        "BertControl": [c for c, to in bert("clean_text").items() if to == ""],
        "BertSpace": [c for c, to in bert("clean_text").items() if to == " "],
        "BertAccent": [c for c, to in bert("strip_accents").items() if to == ""],
    }


def emit_array(kind: str, name: str, rows: Iterable[str], per_line: int = 4) -> None:
    """Print one constant array."""
    rows = list(rows)
    print(f"const {kind} {name}[] = {{")
    for i in range(0, len(rows), per_line):
        print("    " + ", ".join(rows[i : i + per_line]) + ",")
    print(f"}};\nconst size_t {name}Size = {len(rows)};\n")


def emit_mappings(names: Iterable[str], series: dict[str, dict[str, object]]) -> None:
    """Print the tables of (code point, what it becomes), over one pool of what they become."""
    pool: list[int] = []
    tables: dict[str, list[str]] = {}
    place_of: dict[tuple[int, ...], int] = {}
    for suffix, measured in series.items():
        for name in names:
            rows = tables.setdefault(f"k{name}{suffix}", [])
            for code_point, to in measured[name]:  # type: ignore[attr-defined]
                if suffix and [code_point, to] in series[""][name]:  # type: ignore[operator]
                    continue
                if tuple(to) not in place_of:
                    place_of[tuple(to)] = len(pool)
                    pool += to
                rows.append(f"{{0x{code_point:X}, {place_of[tuple(to)]}, {len(to)}}}")
    emit_array("char32_t", "kMappingPool", (f"0x{c:X}" for c in pool), 12)
    for name, rows in tables.items():
        emit_array("Mapping", name, rows, 6)


def lowercase_runs(rows: list[list[object]]) -> Iterator[str]:
    """Yield the runs of capitals, every one or every second, that lie equally far from theirs."""
    single = [(c, to[0] - c) for c, to in rows if len(to) == 1]  # type: ignore[index, arg-type]
    while single:
        first, distance = single[0]
        step = 2 if (first + 1, distance) not in single[:3] else 1
        last, count = first, 0
        while count < len(single) and single[count] == (first + count * step, distance):
            last, count = first + count * step, count + 1
        yield f"{{0x{first:X}, 0x{last:X}, {step}, {distance}}}"
        single = single[count:]


def main() -> None:
    """Print the C++ file, or, asked by ourselves, the measurements of this Python."""
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(measure()))
        return
    old, new = (
        json.loads(subprocess.check_output([python, __file__, "--measure"]))  # noqa: S603  our own file
        for python in sys.argv[1:3]
    )
    print("// GENERATED BY make_normalizer_tables.py; DO NOT EDIT.")
    print(
        "//   .venv/bin/python sidecar/unicode/make_normalizer_tables.py "
        "PYTHON_WITH_0_23 PYTHON_WITH_1_0 > sidecar/unicode/normalizer_tables.cc"
    )
    print(f"// Measured from tokenizers {old['version']} and {new['version']}.")
    print("// clang-format off\n")
    print('#include "unicode/normalizer_tables.h"\n\nnamespace triptych::unicode {\n')
    emit_mappings(("Decompositions", "Compatible"), {"": old, "10": new})
    for name, kind in (("CombiningClasses", "CombiningClass"), ("Compositions", "Composition")):
        if missing := [row for row in old[name] if row not in new[name]]:
            sys.exit(f"{name}: rows of the old series that the new one lacks: {missing}")
        for suffix, rows in (("", old[name]), ("10", [r for r in new[name] if r not in old[name]])):
            shown = (f"{{{', '.join(f'0x{x:X}' for x in row)}}}" for row in rows)
            emit_array(kind, f"k{name}{suffix}", shown, 6)
    for name in ("Lowercase", "Mark", "BertControl", "BertSpace", "BertAccent"):
        known = {"BertAccent": [c for c in new[name] if c in old[name]]}.get(name, new[name])
        if known != old[name]:
            sys.exit(f"{name}: the two series differ")
    emit_array("LowercaseRun", "kLowercaseRuns", lowercase_runs(old["Lowercase"]))
    if [row for row in old["Lowercase"] if len(row[1]) != 1] != [[0x130, [0x69, 0x307]]]:
        sys.exit("Lowercase: U+0130 is no longer the one capital that becomes two characters")
    for name in ("Mark", "BertControl", "BertSpace", "BertAccent"):
        ranges = (f"{{0x{a:X}, 0x{b:X}}}" for a, b in to_ranges(sorted(old[name])))
        emit_array("CodePointRange", f"k{name}", ranges, 6)
    print("}  // namespace triptych::unicode")


if __name__ == "__main__":
    main()
