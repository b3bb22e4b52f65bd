"""The flags about sessions."""

from __future__ import annotations

import argparse

import pytest

from service.cli.session_flags import add_session_flags, to_session_limits
from service.domain.limits import SessionLimits


def parse(*words: str) -> SessionLimits:
    parser = argparse.ArgumentParser()
    add_session_flags(parser)
    return to_session_limits(parser.parse_args(words), max_message_bytes=9)


def test_without_flags_the_defaults_hold() -> None:
    assert parse() == SessionLimits(text_bytes=9)


def test_each_flag_is_taken() -> None:
    words = "--max-sessions 3 --session-idle-timeout 1.5 --session-max-duration 7"
    assert parse(*words.split()) == SessionLimits(3, 1.5, 7.0, text_bytes=9)


@pytest.mark.parametrize(
    "words",
    ["--max-sessions 0", "--session-idle-timeout 0", "--session-max-duration inf"],
)
def test_what_cannot_be_is_wrong_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(*words.split())

    assert end.value.code == 2
    assert words.split(maxsplit=1)[0] in capsys.readouterr().err
