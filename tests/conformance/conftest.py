"""What is too slow for each change runs by night: `make conformance`."""

from __future__ import annotations

import pytest

_NIGHTLY = "starts an engine for one case of many; with -m nightly"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"nightly: {_NIGHTLY}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, which shows, what is marked."""
    if "nightly" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("nightly"):
                item.add_marker(pytest.mark.skip(reason=_NIGHTLY))
