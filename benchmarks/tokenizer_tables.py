"""The measured seconds of tokenizers as markdown tables, and which goals they reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from benchmarks.tokenizer_texts import KINDS, SIZES

OURS = "ours"
_REFERENCE = "tokenizers 0.23.3"
# Below this a text's time is told, above it the rate.
_RATE_FROM_BYTES = 10_000
_SPLIT_WORDS = {"mistral-v0.1", "phi-3-mini"}


class Measurement(NamedTuple):
    """What a number of seconds is of."""

    vocabulary: str
    who: str
    what: str


Medians = Mapping[Measurement, float]


class Goal(NamedTuple):
    """A ratio that ours should reach, of another's seconds to ours."""

    name: str
    against: str
    at_least: float


class Table(NamedTuple):
    """One table, a row for each set. A goal is about the reference's faster form."""

    title: str
    what: str
    kind: str
    sets: list[str]
    goals: tuple[Goal, ...] = ()


# A vocabulary with pieces across words leaves a cold tokenizer less to save.
_REFERENCE_GOAL = Goal("50x 0.23.3 (must)", _REFERENCE, 50)
_COLD_REFERENCE_GOALS = {
    False: Goal("cold 15x 0.23.3 (must)", _REFERENCE, 15),
    True: Goal("cold 6x 0.23.3 (must)", _REFERENCE, 6),
}
_COLD_BEST_GOAL = Goal("cold 1.0x best", "best", 1.0)
_BEST_GOALS = (
    Goal("0.7x best (must)", "best", 0.7),
    Goal("1.0x best", "best", 1.0),
    Goal("1.25x best", "best", 1.25),
)


class Tables:
    """Prints the tables of one run."""

    def __init__(
        self, medians: Medians, who: list[str], set_sizes: Mapping[str, tuple[int, int]]
    ) -> None:
        self._medians = medians
        self._who = who
        self._set_sizes = set_sizes
        self._reached: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()

    def print_vocabulary(self, name: str) -> None:
        """Print all tables of one vocabulary."""
        sets = [f"{kind}_{size}" for kind in KINDS for size in SIZES]
        large = [f"{kind}_100000" for kind in KINDS]
        worst = [s.removeprefix("worst_") for s in sorted(self._set_sizes) if s[:6] == "worst_"]
        cold = (_COLD_REFERENCE_GOALS[name in _SPLIT_WORDS], _COLD_BEST_GOAL)
        tables = (
            Table("encode, warm: ids", "encode", "warm", sets, (_REFERENCE_GOAL, *_BEST_GOALS)),
            Table("encode, warm: ids and spans", "encode_spans", "warm", sets),
            Table("encode, cold: ids, 1 KB each", "cold", "cold", list(KINDS), cold),
            Table("hard texts, the first time", "worst", "worst", worst),
            Table("decode", "decode", "warm", large, _BEST_GOALS),
            Table("decode token by token, ns a token", "stream_decode", "warm", large),
        )
        for table in tables:
            self._print(name, table)
        self._print_load(name)

    def print_goals(self) -> None:
        """Print how many figures reach each goal."""
        print("\n### Goals\n\n| goal | figures that reach it |\n| --- | --- |")
        for goal in dict.fromkeys([*self._reached, *self._missed]):
            reached, missed = self._reached[goal], self._missed[goal]
            print(f"| {goal} | {reached} of {reached + missed} |")

    def _print(self, name: str, table: Table) -> None:
        rows = [row for set_name in table.sets if (row := self._row(name, table, set_name))]
        if not rows:
            return
        columns = ["text", *self._who, "ours to 0.23.3", "ours to the best peer", "goals missed"]
        print(f"\n### {name}: {table.title}\n\n| {' | '.join(columns)} |")
        print(f"|{' --- |' * len(columns)}")
        print("\n".join(f"| {' | '.join(row)} |" for row in rows))

    def _row(self, name: str, table: Table, set_name: str) -> list[str]:
        what = f"{table.what}/{set_name}"
        seconds = {who: self._medians.get(Measurement(name, who, what)) for who in self._who}
        if not any(seconds.values()):
            return []
        # A token is the unit where tokens were counted.
        tokens = self._medians.get(Measurement(name, OURS, f"tokens/{what}"))
        texts, size = self._set_sizes[f"{table.kind}_{set_name}"]
        cells = [
            f"{value / tokens * 1e9:.0f} ns" if value and tokens else _shown(value, texts, size)
            for value in seconds.values()
        ]
        ours = seconds.get(OURS)
        peers = {who: value for who, value in seconds.items() if who != OURS and value}
        if not ours or not peers:
            return [set_name, *cells, "", "", ""]
        references = [value for who, value in peers.items() if who.startswith(_REFERENCE)]
        best = min(peers, key=peers.__getitem__)
        ratios = {"best": peers[best] / ours}
        if references:
            ratios[_REFERENCE] = min(references) / ours
        judged = [goal for goal in table.goals if goal.against in ratios]
        missed = [goal.name for goal in judged if not self._judge(goal, ratios)]
        told = " / ".join(f"{value / ours:.1f}x" for value in sorted(references))
        shown = ", ".join(missed) or ("none" if judged else "")
        return [set_name, *cells, told, f"{ratios['best']:.2f}x {best}", shown]

    def _judge(self, goal: Goal, ratios: dict[str, float]) -> bool:
        is_reached = ratios[goal.against] >= goal.at_least
        (self._reached if is_reached else self._missed)[goal.name] += 1
        return is_reached

    def _print_load(self, name: str) -> None:
        print(f"\n### {name}: loading\n\n| | {' | '.join(self._who)} |")
        print(f"|{' --- |' * (len(self._who) + 1)}")
        for what, unit, scale in (("load", "ms", 1e3), ("rss_mb", "MB more memory", 1)):
            values = [self._medians.get(Measurement(name, who, what)) for who in self._who]
            cells = ["-" if value is None else f"{value * scale:.0f}" for value in values]
            print(f"| {unit} | {' | '.join(cells)} |")


def _shown(seconds: float | None, texts: int, size: int) -> str:
    if not seconds:
        return "-"
    if size / texts >= _RATE_FROM_BYTES * 0.9:
        return f"{size / seconds / 1e6:.0f} MB/s"
    return f"{seconds / texts * 1e6:.2f} µs"


def print_tables(
    medians: Medians,
    vocabularies: list[str],
    who: list[str],
    set_sizes: Mapping[str, tuple[int, int]],
) -> None:
    """Print everything."""
    tables = Tables(medians, who, set_sizes)
    for name in vocabularies:
        tables.print_vocabulary(name)
    tables.print_goals()
