"""The composition root: builds everything, and owns the order of start and stop.

Start: sidecar and engine, then the port with health NOT_SERVING, then SERVING. Stop: health
NOT_SERVING, streams finish within the grace time, then engine and sidecar end. When the engine
dies the server turns NOT_SERVING and stops, so that a supervisor can restart it.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from service.config import ServerConfig
from service.engine.engine_args import parse_engine_args
from service.engine.vllm_engine import VllmEngine
from service.errors import StartupError
from service.generator import Generator
from service.media.loader import ThreadedMediaLoader
from service.prompt.renderer import choose_renderer
from service.rpc.server import RpcServer, build_server
from service.telemetry.logging import logger, stage
from service.tokenizer.sidecar_client import SidecarClient
from service.tokenizer.sidecar_process import SidecarProcess
