"""docs/models.md says what is tested, and its commands can be given."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.prompt.formats import FAMILIES, find_family
from service.prompt.template_source import read_json
from tests.conformance.formats.conversations import CASES, TEXT_CASES
from tests.conformance.formats.families import CHECKPOINTS
from tests.conformance.formats.test_served import ALWAYS, NIGHTLY

PAGE = Path(__file__).resolve().parents[3] / "docs" / "models.md"


@dataclass(frozen=True)
class Row:
    """A model of the table; `ids` is None where it has tests of its own."""

    model: str
    format: str
    kinds: frozenset[str]
    ids: int | None
    served: str
    command: str


def _rows() -> list[Row]:
    rows = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and "`triptych serve" in line:
            cells = (cell.strip() for cell in line.strip("|").split("|"))
            model, name, kinds, ids, served, command = cells
            number = re.match(r"[0-9]+", ids)
            found = re.search("`(.+)`", command)
            assert found
            rows.append(
                Row(
                    model,
                    name.strip("`"),
                    frozenset(kinds.split(", ")) - {"text"},
                    int(number[0]) if number else None,
                    served,
                    found[1],
                )
            )
    return rows


ROWS = _rows()


def test_every_format_has_a_row() -> None:
    assert {family.name for family in FAMILIES} == {row.format for row in ROWS}


def test_the_numbers_are_those_of_the_conversations(tmp_path: Path) -> None:
    """And where they are asked. Of each such triple there are as many rows as checkpoints."""
    tested = []
    for checkpoint in CHECKPOINTS.values():
        if checkpoint.modalities:
            directory = tmp_path / checkpoint.name
            directory.mkdir()
            checkpoint.make(directory)
            config = read_json(directory / "config.json")
            vision = config.get("vision_config") or {}
            family = find_family(str(config["model_type"]), vision.get("model_type", ""))
            assert family is not None
            count = sum(checkpoint.takes(case.modalities) for case in CASES.values())
            kinds = sorted(map(str, checkpoint.modalities))
            tested.append((family.name, kinds, count, _served(checkpoint.name)))
    told = [
        (row.format, sorted(row.kinds), row.ids, row.served)
        for row in ROWS
        if row.kinds and row.ids
    ]

    assert sorted(tested) == sorted(told)


def test_the_formats_of_text_are_tested_as_it_says() -> None:
    rows = [row for row in ROWS if not row.kinds and row.ids]

    assert {len(TEXT_CASES)} == {row.ids for row in rows}
    for row in rows:
        assert row.served.startswith(_served(row.format))


def _served(name: str) -> str:
    if name == "qwen2.5-omni":
        return "each change (the [demo model](../demo/README.md))"
    if name in ALWAYS:
        return "each change"
    return "conformance" if name in NIGHTLY else "⁶"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.model)
def test_a_command_can_be_given(row: Row, tmp_path: Path) -> None:
    """vLLM knows its flags; a folder stands for the model, which is looked for at once."""
    from service.engine.engine_args import parse_engine_args

    program, verb, model, *flags = shlex.split(row.command)

    assert ("triptych", "serve") == (program, verb)
    assert re.fullmatch("[^/]+/[^/]+", model)
    assert str(tmp_path) == parse_engine_args(str(tmp_path), flags).model
