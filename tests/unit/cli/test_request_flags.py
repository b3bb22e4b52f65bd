"""The flags about how many requests are served, and how long they may take."""

from __future__ import annotations

import argparse

import pytest

from service.cli.request_flags import add_request_flags, to_request_config
from service.config import RequestConfig


def parse(*words: str) -> RequestConfig:
    parser = argparse.ArgumentParser()
    add_request_flags(parser)
    return to_request_config(parser.parse_args(words))


def test_without_flags_the_defaults_hold() -> None:
    assert parse() == RequestConfig()


def test_each_flag_is_taken() -> None:
    words = (
        "--max-running-requests 3 --max-waiting-requests 0 --max-waiting-tokens 5 "
        "--deadline-margin 0 --reader-timeout 1.5"
    )
    assert parse(*words.split()) == RequestConfig(3, 0, 5, 0.0, 1.5)


@pytest.mark.parametrize(
    "words",
    [
        "--max-running-requests 0",
        "--max-waiting-requests -1",
        "--max-waiting-tokens 0",
        "--deadline-margin -1",
        "--deadline-margin inf",
        "--reader-timeout 0",
        "--reader-timeout nan",
    ],
)
def test_what_cannot_be_is_wrong_usage(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse(*words.split())

    assert end.value.code == 2
    assert words.split(maxsplit=1)[0] in capsys.readouterr().err
