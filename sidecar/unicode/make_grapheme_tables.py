"""Write grapheme_tables.cc: how `tokenizers` cuts a text into graphemes where it matters.

Only the Precompiled normalizer cuts into graphemes, and shows of it only this: a grapheme of less
than six bytes becomes what the rule for its first character says, the characters of a longer one
become what their rules say. With a rule for every character, "x" -> "1", the number of 1s tells
where graphemes end, and so each property of a character is *measured* here with a text that ends
otherwise with it than without. Flags (regional indicators) are left out: a pair of them has more
than six bytes, and one of them is a single character. Run it again when the pinned `tokenizers`
changes:

    .venv/bin/python sidecar/unicode/make_grapheme_tables.py > sidecar/unicode/grapheme_tables.cc
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator

import tokenizers
from tokenizers import normalizers

# Where characters that are more than plain ones may lie: not among ideographs, Hangul syllables and
# private ones, not in planes that are empty.
_RANGES = ((0x1, 0x3400), (0xA000, 0xAC00), (0xD7A4, 0xD800), (0xF900, 0x20000), (0xE0000, 0xE1000))
SCALARS = [c for a, b in _RANGES for c in range(a, b) if c not in (0x0A, 0x0D)]
BLOCK = 256
MARK = "\u0300"  # extends whatever is no control character; two bytes


def rules_for_everything() -> bytes:
    """Return SentencePiece's form of rules that make a 1 of every character but line ends.

    It is a double array, made simple: each node's children lie in a block of their own.
    """
    units = array("I", bytes(4 * 3 * BLOCK))  # the root, its children, and the values, all 0
    block_of: dict[bytes, int] = {b"": 1}
    place_of: dict[bytes, int] = {b"": 0}
    has_offset_in_blocks, has_value, values = 1 << 9, 1 << 8, 2
    for code_point in SCALARS:
        key = chr(code_point).encode()
        for size in range(1, len(key) + 1):
            node = key[:size]
            if node in place_of:
                continue
            parent = key[: size - 1]
            place = block_of[parent] * BLOCK + ((place_of[parent] % BLOCK) ^ node[-1])
            is_leaf = size == len(key)
            if not is_leaf:
                block_of[node] = len(units) // BLOCK
                units.extend([0] * BLOCK)
                place_of[node] = place
            block = values if is_leaf else block_of[node]
            offset = (place // BLOCK) ^ block
            flags = has_offset_in_blocks | (has_value if is_leaf else 0)
            units[place] = offset << 10 | flags | node[-1]
    units[0] = 1 << 10 | has_offset_in_blocks
    return (len(units) * 4).to_bytes(4, "little") + units.tobytes() + b"1\0"


def counter() -> Callable[[Callable[[str], str]], dict[int, int]]:
    """Return what counts the 1s of a text that is made with each character."""
    normalizer = normalizers.Precompiled(rules_for_everything())

    def count(text_with: Callable[[str], str]) -> dict[int, int]:
        lines = normalizer.normalize_str("\n".join(text_with(chr(c)) for c in SCALARS)).split("\n")
        return {c: len(line) for c, line in zip(SCALARS, lines, strict=True)}

    return count


def measure() -> dict[int, tuple[str, str]]:
    """Return the class of each character, and what it does in Indic conjuncts."""
    count = counter()

    def where(text_with: Callable[[str], str], ones: int) -> set[int]:
        return {c for c, n in count(text_with).items() if n == ones}

    attached = where(lambda c: f"a{c}", 1)
    extend = attached & where(lambda c: f"©{c}\u200d⌚{MARK}", 5)
    control = where(lambda c: f"{c}{MARK}{MARK}", 2) - attached
    prepend = where(lambda c: f"{c}a", 1)
    plain = set(SCALARS) - attached - control - prepend
    # All Hangul letters have three bytes. Kirat Rai has vowels of four, which count as such.
    letters = plain & set(range(0x800, 0x10000))
    after_lead = letters & where(lambda c: f"\u1100{c}{MARK}", 3)
    after_vowel = letters & where(lambda c: f"\u1161{c}{MARK}", 3)
    after_tail = letters & where(lambda c: f"\u11a8{c}{MARK}", 3)
    between = plain & where(lambda c: f"\u1100{c}\u11a8{MARK}", 4)
    classes = {
        "Control": control,
        "Joiner": {0x200D},
        "Extend": extend - {0x200D},
        "SpacingMark": attached - extend - {0x200D},
        "Prepend": prepend,
        "Lead": after_lead - after_vowel,
        "Vowel": between - after_tail,
        "Tail": after_tail,
        "Pictograph": plain & where(lambda c: f"©\u200d{c}", 3),
    }
    linker = attached & where(lambda c: f"\u0915{c}\u0915{MARK}", 4)
    conjuncts = {
        "Consonant": plain & where(lambda c: f"{c}\u094d\u0915{MARK}", 4),
        "Linker": linker,
        "Between": (attached & where(lambda c: f"\u0915{c}\u094d\u0915{MARK}", 5)) - linker,
    }
    result: dict[int, tuple[str, str]] = {}
    for name, code_points in classes.items():
        for c in code_points:
            if c in result:
                sys.exit(f"U+{c:04X} is both {result[c][0]} and {name}")
            result[c] = (name, "None")
    for name, code_points in conjuncts.items():
        for c in code_points:
            result[c] = (result.get(c, ("Other", ""))[0], name)
    return result


def rows(measured: dict[int, tuple[str, str]]) -> Iterator[str]:
    """Yield the runs of characters of one kind."""
    run: list[int] = []
    for c in [*sorted(measured), 0x110000]:
        if run and (c != run[-1] + 1 or measured[c] != measured[run[0]]):
            name, conjunct = measured[run[0]]
            yield f"{{0x{run[0]:X}, 0x{run[-1]:X}, G::k{name}, C::k{conjunct}}}"
            run = []
        run.append(c)


def emit(lines: Iterable[str]) -> None:
    """Print the table, three entries a line."""
    lines = list(lines)
    print("const GraphemeRun kGraphemeRuns[] = {")
    for i in range(0, len(lines), 3):
        print("    " + ", ".join(lines[i : i + 3]) + ",")
    print(f"}};\nconst size_t kGraphemeRunsSize = {len(lines)};\n")


def main() -> None:
    """Print the C++ file."""
    print("// GENERATED BY make_grapheme_tables.py; DO NOT EDIT.")
    print(
        "//   .venv/bin/python sidecar/unicode/make_grapheme_tables.py "
        "> sidecar/unicode/grapheme_tables.cc"
    )
    print(f"// Measured from tokenizers {tokenizers.__version__}.")
    print("// clang-format off\n")
    print('#include "unicode/grapheme_tables.h"\n\nnamespace triptych::unicode {\nnamespace {\n')
    print("using G = GraphemeClass;\nusing C = ConjunctClass;\n\n}  // namespace\n")
    measured = measure()
    measured[0x0A] = measured[0x0D] = ("Control", "None")
    measured[0x00] = ("Control", "None")
    emit(rows(measured))
    print("}  // namespace triptych::unicode")


if __name__ == "__main__":
    main()
