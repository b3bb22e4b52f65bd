"""What the client's package shows to the world."""

from __future__ import annotations

import inspect
from pathlib import Path

import triptych_client
from triptych_client import TriptychError, _errors


def test_the_exports_are_sorted_and_there() -> None:
    """`__all__` names what can be imported, in order."""
    names = triptych_client.__all__

    assert names == sorted(names)
    assert all(hasattr(triptych_client, name) for name in names)


def test_every_exception_is_exported() -> None:
    """A caller can catch each class by its public name."""
    errors = [
        name
        for name, kind in inspect.getmembers(_errors, inspect.isclass)
        if issubclass(kind, TriptychError)
    ]

    assert set(errors) <= set(triptych_client.__all__)


def test_the_tree_of_exceptions_is_drawn_in_full() -> None:
    """The drawing at the top of `_errors.py` names every class."""
    for name in vars(_errors):
        if name.endswith("Error") and hasattr(triptych_client, name):
            assert name in (_errors.__doc__ or "")


def test_the_package_is_marked_as_typed() -> None:
    """Type checkers read the types of an installed client."""
    assert Path(triptych_client.__file__).with_name("py.typed").is_file()
