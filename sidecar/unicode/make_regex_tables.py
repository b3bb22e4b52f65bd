"""Write regex_tables.cc: the named properties and the case folding of regular expressions.

`tokenizers` runs Oniguruma, whose tables are *measured* here by running it on every code point; the
lists below only say what to ask for, and Python's `str.casefold` only proposes which characters
fold to several. Run it again when the pinned `tokenizers` changes:

    .venv/bin/python sidecar/unicode/make_regex_tables.py > sidecar/unicode/regex_tables.cc
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise

import tokenizers
from make_unicode_tables import SCALARS, Range, emit_array, matched_by, to_ranges
from tokenizers import Regex, pre_tokenizers

# General categories are not here: they are in unicode_tables.cc.
PROPERTIES = """
alnum alpha blank cntrl digit graph lower print punct space upper xdigit word ascii
any assigned alphabetic cased cased_letter dash emoji emoji_component emoji_modifier
emoji_modifier_base emoji_presentation extended_pictographic hex_digit id_continue id_start
ideographic lowercase math uppercase white_space
"""
# The largest come first, which is faster.
SCRIPTS = """
unknown han hangul common egyptian_hieroglyphs tangut yi
adlam ahom anatolian_hieroglyphs arabic armenian avestan balinese bamum bassa_vah batak bengali
bhaiksuki bopomofo brahmi braille buginese buhid canadian_aboriginal carian caucasian_albanian
chakma cham cherokee chorasmian coptic cuneiform cypriot cypro_minoan cyrillic deseret
devanagari dives_akuru dogra duployan elbasan elymaic ethiopic garay georgian
glagolitic gothic grantha greek gujarati gunjala_gondi gurmukhi gurung_khema
hanifi_rohingya hanunoo hatran hebrew hiragana imperial_aramaic inherited inscriptional_pahlavi
inscriptional_parthian javanese kaithi kannada katakana kawi kayah_li kharoshthi
khitan_small_script khmer khojki khudawadi kirat_rai lao latin lepcha limbu linear_a linear_b lisu
lycian lydian mahajani makasar malayalam mandaic manichaean marchen masaram_gondi medefaidrin
meetei_mayek mende_kikakui meroitic_cursive meroitic_hieroglyphs miao modi mongolian mro multani
myanmar nabataean nag_mundari nandinagari new_tai_lue newa nko nushu nyiakeng_puachue_hmong ogham
ol_chiki ol_onal old_hungarian old_italic old_north_arabian old_permic old_persian old_sogdian
old_south_arabian old_turkic old_uyghur oriya osage osmanya pahawh_hmong palmyrene pau_cin_hau
phags_pa phoenician psalter_pahlavi rejang runic samaritan saurashtra sharada shavian siddham
signwriting sinhala sogdian sora_sompeng soyombo sundanese sunuwar syloti_nagri syriac tagalog
tagbanwa tai_le tai_tham tai_viet takri tamil tangsa telugu thaana thai tibetan tifinagh
tirhuta todhri toto tulu_tigalari ugaritic vai vithkuqi wancho warang_citi yezidi
zanabazar_square
"""


def having(name: str, text: str) -> str:
    """Return the characters of a text that have a property."""
    keep_matches = pre_tokenizers.Split(Regex(rf"\p{{{name}}}+"), "removed", invert=True)
    return "".join(piece for piece, _ in keep_matches.pre_tokenize_str(text))


def named_properties() -> Iterator[tuple[str, list[Range]]]:
    """Yield each property with its ranges."""
    everything = "".join(map(chr, SCALARS))
    for name in known(PROPERTIES):
        yield name, list(to_ranges(map(ord, having(name, everything))))
    # Each character has one script, so what has one need not be asked again.
    rest = everything
    for name in known(SCRIPTS):
        found = having(name, rest)
        rest = rest.translate(dict.fromkeys(map(ord, found)))
        yield name, list(to_ranges(map(ord, found)))


def known(names: str) -> Iterator[str]:
    """Yield those names that Oniguruma knows."""
    for name in names.split():
        try:
            Regex(rf"\p{{{name}}}")
        except Exception as error:  # noqa: BLE001 - the wheel raises nothing more exact
            print(f"{name}: {error}", file=sys.stderr)
            continue
        yield name


def cased() -> list[int]:
    """Return the code points that may have another case."""
    return matched_by(r"[\p{Lu}\p{Ll}\p{Lt}\p{Lm}\p{Nl}\p{So}\p{Mn}]")


def literal(text: str) -> str:
    """Write a text as a pattern."""
    return "".join(rf"\x{{{ord(c):X}}}" for c in text)


def case_classes() -> list[list[int]]:
    """Return the characters that match each other where case is ignored, two or more each."""
    candidates = cased()
    text = " ".join(map(chr, candidates))  # apart, since ﬆ matches st
    classes: list[list[int]] = []
    seen: set[int] = set()
    for c in candidates:
        if c in seen:
            continue
        same = pre_tokenizers.Split(Regex(f"(?i:{literal(chr(c))})"), "removed", invert=True)
        found = sorted(ord(x) for piece, _ in same.pre_tokenize_str(text) for x in piece)
        if len(found) > 1:
            classes.append(found)
            seen.update(found)
    return classes


def multiple_folds() -> list[tuple[int, str]]:
    """Return (character, folded) for each character that matches several where case is ignored."""
    folds = []
    for c in SCALARS:
        folded = chr(c).casefold()
        if len(folded) <= 1:
            continue
        same = pre_tokenizers.Split(Regex(f"(?i:{literal(chr(c))})"), "removed", invert=True)
        if same.pre_tokenize_str(folded) == [(folded, (0, len(folded)))]:
            folds.append((c, folded))
    return folds


def main() -> None:
    """Print the C++ file."""
    print("// GENERATED BY make_regex_tables.py; DO NOT EDIT.")
    print(
        "//   .venv/bin/python sidecar/unicode/make_regex_tables.py "
        "> sidecar/unicode/regex_tables.cc"
    )
    print(f"// Measured from tokenizers {tokenizers.__version__}.")
    print("// clang-format off\n")
    print('#include "unicode/regex_tables.h"\n\nnamespace triptych::unicode {\n')
    rows: list[Range] = []
    entries = []
    for name, ranges in named_properties():
        entries.append(f'{{"{name.replace("_", "")}", {len(rows)}, {len(ranges)}}}')
        rows += ranges
    emit_array("CodePointRange", "kPropertyRanges", (f"{{0x{a:X}, 0x{b:X}}}" for a, b in rows))
    emit_array("NamedProperty", "kNamedProperties", entries)
    links = [pair for chars in case_classes() for pair in pairwise([*chars, chars[0]])]
    emit_array("CaseLink", "kCaseLinks", (f"{{0x{a:X}, 0x{b:X}}}" for a, b in sorted(links)))
    emit_array(
        "MultipleFold",
        "kMultipleFolds",
        (
            f"{{0x{c:X}, {{{', '.join(f'0x{ord(x):X}' for x in folded)}}}, {len(folded)}}}"
            for c, folded in multiple_folds()
        ),
    )
    print("}  // namespace triptych::unicode")


if __name__ == "__main__":
    main()
