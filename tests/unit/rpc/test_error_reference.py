"""docs/errors.md says what the contract's comments and the table of statuses say, which agree."""

from __future__ import annotations

import pytest

from scripts import error_reference
from scripts.error_reference import REFERENCE, ContradictionError, documented_reasons, reference
from service.rpc import status
from tests.unit.rpc.error_reasons import REASONS

EXAMPLE = '{ "reason": "LOST", "metadata": { "field": "part" } }'


def test_the_page_is_what_is_written_today() -> None:
    """Else run `make gen`."""
    assert REFERENCE.read_text(encoding="utf-8") == reference()


def test_the_page_has_every_reason() -> None:
    assert [reason.name for reason in documented_reasons()] == REASONS
    assert all(f"| `{reason}` |" in reference() for reason in REASONS)


def test_a_stale_page_fails_the_check(
    tmp_path: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "errors.md"
    monkeypatch.setattr(error_reference, "REFERENCE", page)
    assert "make gen" in error_reference.main(["--check"])
    assert error_reference.main([]) is None
    assert error_reference.main(["--check"]) is None
    page.write_text(page.read_text() + "\n")
    assert "make gen" in error_reference.main(["--check"])


def test_a_comment_that_contradicts_the_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = status.reasons_of_statuses()
    rows["INVALID_FIELD"] = rows["MODEL_NOT_FOUND"]
    monkeypatch.setattr(error_reference, "reasons_of_statuses", lambda: rows)
    with pytest.raises(ContradictionError, match=r"INVALID_FIELD .* begins with INVALID_ARGUMENT"):
        reference()


def test_a_reason_in_no_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = status.reasons_of_statuses()
    del rows["MEDIA_NOT_FOUND"]
    monkeypatch.setattr(error_reference, "reasons_of_statuses", lambda: rows)
    assert "MEDIA_NOT_FOUND is in no row" in error_reference.main([])


@pytest.mark.parametrize(
    ("comment", "problem"),
    [
        (f"It is lost. Look again.\n\n{EXAMPLE}", "must begin like"),
        (f"NOT_FOUND\n\n{EXAMPLE}", "must begin like"),
        ("NOT_FOUND. It is lost.", "must end with its ErrorInfo"),
        (f"NOT_FOUND. It is lost.\n\n{EXAMPLE.replace('LOST', 'LEFT')}", "is one of LEFT"),
    ],
)
def test_a_comment_of_another_form_is_found(comment: str, problem: str) -> None:
    with pytest.raises(ContradictionError, match=problem):
        error_reference._to_reason("LOST", comment)
