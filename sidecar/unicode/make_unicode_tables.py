"""Write unicode_tables.cc: the Unicode data that Hugging Face `tokenizers` really uses.

Our ids must equal those of `tokenizers`, so its tables are ours, old or new: its NFC carries the
tables of Unicode 9, its regular expressions (Oniguruma) and its added-token rules (the Rust `regex`
crate) newer ones. None of the three can be read out, so each is *measured* here by running
`tokenizers` on every code point. Python's own `unicodedata` only proposes candidates (which
characters combine, which pairs compose); `tokenizers` decides. Run it again when the pinned
`tokenizers` changes:

    .venv/bin/python sidecar/unicode/make_unicode_tables.py > sidecar/unicode/unicode_tables.cc
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

# The order is that of `enum class GeneralCategory` in unicode_tables.h.
CATEGORIES = [
    *("Cn", "Cc", "Cf", "Co", "Cs"),
    *("Ll", "Lm", "Lo", "Lt", "Lu"),
    *("Mc", "Me", "Mn"),
    *("Nd", "Nl", "No"),
    *("Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps"),
    *("Sc", "Sk", "Sm", "So"),
    *("Zl", "Zp", "Zs"),
]
SCALARS = [*range(0xD800), *range(0xE000, 0x110000)]
HANGUL = range(0xAC00, 0xD7A4)  # decomposed and composed by arithmetic, so never in a table

Range = tuple[int, int]


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


def matched_by(pattern: str) -> list[int]:
    """Return every code point that Oniguruma, as `tokenizers` runs it, matches with `pattern`."""
    keep_matches = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    text = "".join(map(chr, SCALARS))
    return [ord(c) for piece, _ in keep_matches.pre_tokenize_str(text) for c in piece]


def general_category_runs() -> list[tuple[int, str]]:
    """Return (first code point, category) for each run of code points of one category."""
    category = dict.fromkeys(range(55296, 57344), "Cs")
    for name in CATEGORIES:
        if name != "Cs":
            category.update(dict.fromkeys(matched_by(rf"\p{{{name}}}"), name))
    runs: list[tuple[int, str]] = []
    for code_point in range(0x110000):
        if not runs or runs[-1][1] != category[code_point]:
            runs.append((code_point, category[code_point]))
    return runs


def beside_added_token(token: AddedToken, *, before: bool) -> tuple[Tokenizer, list[list[str]]]:
    """Encode every code point next to an added token; return the tokens of each."""
    unknown = "u"
    tokenizer = Tokenizer(models.BPE(vocab={unknown: 0}, merges=[], unk_token=unknown))
    tokenizer.add_tokens([token])
    texts = [f"{chr(c)}QQ" if before else f"QQ{chr(c)}" for c in SCALARS]
    return tokenizer, [e.tokens for e in tokenizer.encode_batch(texts)]


def word_code_points() -> list[int]:
    """Return what counts as a letter of a word for `single_word` added tokens."""
    _, tokens = beside_added_token(AddedToken("QQ", single_word=True), before=True)
    return [c for c, t in zip(SCALARS, tokens, strict=True) if "QQ" not in t]


def strip_code_points() -> list[int]:
    """Return what `rstrip` added tokens swallow."""
    _, tokens = beside_added_token(AddedToken("QQ", rstrip=True), before=False)
    return [c for c, t in zip(SCALARS, tokens, strict=True) if len(t) == 1]


def decompositions() -> dict[int, str]:
    """Return the full canonical decomposition of each code point that has one."""
    nfd = normalizers.NFD()
    found = ((c, nfd.normalize_str(chr(c))) for c in SCALARS if c not in HANGUL)
    return {c: d for c, d in found if d != chr(c)}


def combining_classes() -> dict[int, int]:
    """Return the combining classes other than 0 that `tokenizers` honours."""
    nfd = normalizers.NFD()
    classes = {}
    for c in SCALARS:
        if nfd.normalize_str(chr(c)) != chr(c):
            continue
        # U+0334 has the lowest class, 1, and U+0345 the highest, 240: a mark changes places with
        # one of them.
        if (
            nfd.normalize_str(chr(c) + "\u0334")[0] == "\u0334"
            or nfd.normalize_str("\u0345" + chr(c))[-1] == "\u0345"
        ):
            classes[c] = unicodedata.combining(chr(c))
            if classes[c] == 0:
                sys.exit(
                    f"U+{c:04X} combines in tokenizers but not in this Python: use a newer Python"
                )
    return classes


def compositions() -> list[tuple[int, int, int]]:
    """Return (first, second, composite) for each pair that NFC composes."""
    nfc = normalizers.NFC()
    pairs = []
    for c in SCALARS:
        raw = unicodedata.decomposition(chr(c))
        if not raw or raw.startswith("<") or c in HANGUL or " " not in raw:
            continue
        first, second = (int(part, 16) for part in raw.split())
        if nfc.normalize_str(chr(first) + chr(second)) == chr(c):
            pairs.append((first, second, c))
    return sorted(pairs)


def emit_array(kind: str, name: str, rows: Iterable[str]) -> None:
    """Print one constant array, four entries a line."""
    rows = list(rows)
    print(f"const {kind} {name}[] = {{")
    for i in range(0, len(rows), 4):
        print("    " + ", ".join(rows[i : i + 4]) + ",")
    print(f"}};\nconst size_t {name}Size = {len(rows)};\n")


def emit_ranges(name: str, code_points: Iterable[int]) -> None:
    """Print one table of inclusive ranges."""
    emit_array("CodePointRange", name, (f"{{0x{a:X}, 0x{b:X}}}" for a, b in to_ranges(code_points)))


def main() -> None:
    """Print the C++ file."""
    print("// GENERATED BY make_unicode_tables.py; DO NOT EDIT.")
    print(
        "//   .venv/bin/python sidecar/unicode/make_unicode_tables.py "
        "> sidecar/unicode/unicode_tables.cc"
    )
    print(
        f"// Measured from tokenizers {tokenizers.__version__}, "
        f"candidates from Unicode {unicodedata.unidata_version}."
    )
    print("// clang-format off\n")
    print('#include "unicode/unicode_tables.h"\n\nnamespace triptych::unicode {\n')
    runs = general_category_runs()
    emit_array(
        "CategoryRun", "kCategoryRuns", (f"{{0x{c:X}, GeneralCategory::k{n}}}" for c, n in runs)
    )
    emit_ranges("kRegexSpace", matched_by(r"\s"))
    emit_ranges("kRegexWord", matched_by(r"\w"))
    emit_ranges("kRegexHan", matched_by(r"\p{Han}"))
    emit_ranges("kAddedTokenWord", word_code_points())
    emit_ranges("kAddedTokenSpace", strip_code_points())
    decomposed = decompositions()
    emit_array(
        "Decomposition",
        "kDecompositions",
        (
            f"{{0x{c:X}, {{{', '.join(f'0x{ord(x):X}' for x in d)}}}, {len(d)}}}"
            for c, d in decomposed.items()
        ),
    )
    emit_array(
        "CombiningClass",
        "kCombiningClasses",
        (f"{{0x{c:X}, {n}}}" for c, n in combining_classes().items()),
    )
    emit_array(
        "Composition",
        "kCompositions",
        (f"{{0x{a:X}, 0x{b:X}, 0x{c:X}}}" for a, b, c in compositions()),
    )
    print("}  // namespace triptych::unicode")


if __name__ == "__main__":
    main()
