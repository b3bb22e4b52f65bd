"""The tools that a model may call, and how free it is to call them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool; `parameters_json_schema` is an object, or empty for one that takes no arguments."""

    name: str
    description: str = ""
    parameters_json_schema: str = ""


class ToolChoice(StrEnum):
    """How free the model is."""

    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"
    NAMED = "named"  # it must call the tool of `Tools.chosen_name`


@dataclass(frozen=True, slots=True)
class Tools:
    """What a request says of tools; `parallel`: an answer may hold several calls."""

    declared: tuple[Tool, ...] = ()
    choice: ToolChoice = ToolChoice.AUTO
    chosen_name: str = ""
    parallel: bool = True

    @property
    def told(self) -> tuple[Tool, ...]:
        """Those that the model is told of."""
        return () if self.choice is ToolChoice.NONE else self.declared
