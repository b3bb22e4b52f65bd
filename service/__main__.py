"""The command line: `triptych serve | chat | render | health | doctor | engine-flags`.

Here are flags and exit codes only.

Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong usage, 130 interrupted.
`chat` and `render` add two of their own, see service/cli/exit_codes.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from service import __version__
from service.cli import chat, doctor, health, render
from service.cli.adapter_flags import add_adapter_flags, to_adapters
from service.cli.media_flags import add_media_flags, to_media_config
from service.cli.numbers import count_from, not_negative
from service.cli.request_flags import add_request_flags, to_request_config
from service.cli.session_flags import add_session_flags, to_session_limits
from service.config import (
    ServerConfig,
    check_tool_parser_plugin,
    prepare_engine_environment,
    resolve_model,
    resolve_sidecar,
)
from service.errors import StartupError
from service.telemetry.logging import configure_logging

_LOG_LEVELS = ("debug", "info", "warning", "error")
# gRPC counts a message's bytes in 31 bits.
_MOST_MESSAGE_MIB = 2047


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = _build_parser()
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command != "serve":
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        if arguments.command == "serve":
            # As a positional argument MODEL could not be told from the value of a flag of vLLM's.
            if rest and not rest[0].startswith("-"):
                arguments.model = rest.pop(0)
            return _serve(arguments, rest)
        return int(arguments.run(arguments))
    except StartupError as exc:
        print(f"triptych: {exc.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="triptych", description="Serve multimodal language models over gRPC."
    )
    parser.add_argument("--version", action="version", version=f"triptych {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    _add_serve(commands)
    chat.add_parser(commands)
    render.add_parser(commands)
    health.add_parser(commands)
    doctor.add_parser(commands)
    flags = commands.add_parser("engine-flags", help="list vLLM's flags that `serve` passes on")
    flags.set_defaults(run=_print_engine_flags)
    return parser


def _add_serve(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser(
        "serve",
        help="start the server",
        usage="triptych serve [MODEL] [--flag VALUE …]",
        description="Start the server. Flags that are not listed here go to vLLM by their own "
        "names (`triptych engine-flags` lists them), such as --max-model-len 4096.",
        # An abbreviation of ours could be a whole flag of vLLM's.
        allow_abbrev=False,
    )
    serve.add_argument(
        "--model",
        help="a checkpoint's directory or hub name; as MODEL it stands before all of vLLM's flags "
        "(default: the demo model)",
    )
    serve.add_argument(
        "--listen",
        default="127.0.0.1:50051",
        metavar="ADDRESS",
        help="host:port, [::]:port or unix:PATH (default: %(default)s)",
    )
    serve.add_argument("--served-model-name", help="the name that requests use for the model")
    serve.add_argument("--sidecar", metavar="FILE", help="the tokenizer sidecar's binary")
    serve.add_argument(
        "--grace",
        type=not_negative,
        default=30.0,
        metavar="SECONDS",
        help="how long running streams may finish after SIGTERM (default: %(default)s)",
    )
    serve.add_argument(
        "--max-message-mib",
        type=count_from(1, _MOST_MESSAGE_MIB),
        default=64,
        metavar="MIB",
        help=f"largest request, media included, up to {_MOST_MESSAGE_MIB} (default: %(default)s)",
    )
    serve.add_argument(
        "--metrics-listen",
        metavar="HOST:PORT",
        help="serve Prometheus metrics over HTTP at /metrics (default: off)",
    )
    serve.add_argument(
        "--log-level",
        choices=_LOG_LEVELS,
        default="info",
        help="debug brings vLLM's own log back (default: %(default)s)",
    )
    _add_prompt_flags(serve)
    _add_flags_of_modules(serve)


def _add_flags_of_modules(serve: argparse.ArgumentParser) -> None:
    add_adapter_flags(serve)
    add_request_flags(serve)
    add_session_flags(serve)
    add_media_flags(serve)


def _add_prompt_flags(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--chat-template",
        type=Path,
        metavar="FILE",
        help="a Jinja chat template to use instead of the checkpoint's",
    )
    serve.add_argument(
        "--prompt-format",
        metavar="NAME",
        help="the family whose placeholders and default template to use, such as qwen-vl "
        "(default: by the checkpoint's config.json; a wrong name lists all)",
    )
    serve.add_argument(
        "--tool-call-parser",
        metavar="NAME",
        help="how the model writes calls of tools, such as hermes: one of vLLM's parsers (default: "
        "none, and requests have no tools; a wrong name lists all). What it thinks is told apart "
        "by vLLM's own --reasoning-parser NAME",
    )
    serve.add_argument(
        "--tool-parser-plugin",
        type=Path,
        metavar="FILE",
        help="a Python file that registers a parser for --tool-call-parser, as vLLM's flag",
    )


def _serve(arguments: argparse.Namespace, engine_flags: list[str]) -> int:
    model, name = resolve_model(arguments.model)
    served_name = arguments.served_model_name or name
    check_tool_parser_plugin(arguments.tool_parser_plugin, arguments.tool_call_parser)
    config = ServerConfig(
        model=model,
        served_model_name=served_name,
        listen=arguments.listen,
        sidecar_binary=resolve_sidecar(arguments.sidecar),
        grace_s=arguments.grace,
        max_message_bytes=arguments.max_message_mib << 20,
        media=to_media_config(arguments),
        sessions=to_session_limits(arguments, arguments.max_message_mib << 20),
        log_level=arguments.log_level,
        metrics_listen=arguments.metrics_listen,
        chat_template=arguments.chat_template,
        tool_call_parser=arguments.tool_call_parser,
        tool_parser_plugin=arguments.tool_parser_plugin,
        prompt_format=arguments.prompt_format,
        adapters=to_adapters(arguments, served_name),
        engine_flags=tuple(engine_flags),
        requests=to_request_config(arguments),
    )
    configure_logging(config.log_level)
    prepare_engine_environment(config.log_level)
    # Imported late: it takes seconds, and vLLM reads the environment while it is imported.
    from service.app import run_server

    return run_server(config)


def _print_engine_flags(_: argparse.Namespace) -> int:
    prepare_engine_environment("error")
    from service.engine.engine_args import engine_flags_help

    print(engine_flags_help())
    return 0


if __name__ == "__main__":
    sys.exit(main())
