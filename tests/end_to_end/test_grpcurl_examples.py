"""Every example of docs/grpcurl.md prints what the page shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.grpcurl_page import PAGE, Example, check, examples

# Which tests run the examples for other servers than this one.
OTHER_SERVERS = {
    "adapters": "tests/conformance/adapters",
    "embeddings": "tests/conformance/embeddings",
    "tools": "tests/conformance/parsers",
}


def test_the_page_has_no_example_that_nobody_runs() -> None:
    run = sum(len(examples(name)) for name in ("", *OTHER_SERVERS))
    assert PAGE.read_text().count("```bash") == run


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.command[:60])
def test_an_example_prints_what_the_page_shows(server: Any, example: Example) -> None:
    check(example, server.application.address)
