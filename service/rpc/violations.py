"""Collects everything that is wrong with a request, so that a caller learns of it at once."""

from __future__ import annotations

import math

from service.errors import InvalidRequestError


class Violations:
    """The wrong fields found so far; the checks add to it and never raise themselves."""

    def __init__(self) -> None:
        self._found: list[tuple[str, str]] = []

    def add(self, field: str, problem: str) -> None:
        """Note that a field is wrong."""
        self._found.append((field, problem))

    def add_all(self, error: InvalidRequestError) -> None:
        """Note what another check has found, where it was not noted before."""
        self._found += [one for one in error.violations if one not in self._found]

    def check_range(
        self, field: str, value: float | None, low: float, high: float = math.inf
    ) -> None:
        """Demand low <= value <= high and finite; NaN is outside every range; None is fine."""
        if value is None or (low <= value <= high and math.isfinite(value)):
            return
        bound = f"at least {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
        self.add(field, f"must be {bound}, got {value:g}")

    def check_above(
        self, field: str, value: float | None, low: float, high: float = math.inf
    ) -> None:
        """Demand low < value <= high and finite; None is fine."""
        if value is None or (low < value <= high and math.isfinite(value)):
            return
        bound = f"above {low:g}" + ("" if high == math.inf else f" and at most {high:g}")
        self.add(field, f"must be {bound}, got {value:g}")

    def raise_if_any(self) -> None:
        """Raise one InvalidRequestError with everything that was found."""
        if self._found:
            raise InvalidRequestError.of_all(self._found)
