"""The composition root of the media workers: `python -m service.media_worker CONTROL_FD`.

Started by the server's WorkerPool and by nobody else. It puts decoding (service.media), and the
model's processor and the trial of structured outputs (service.engine), together in the process that
all workers are forked from.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

from service.config import MediaWorkerModel
from service.engine.engine_args import parse_engine_args
from service.engine.preprocessor import Preprocessor
from service.engine.structure_check import StructureCheck
from service.errors import InvalidRequestError
from service.media.tasks import MediaTasks
from service.structures import CheckStructure
from service.workers.channel import Channel
from service.workers.fork_server import run_fork_server
from service.workers.worker import TaskRunner


def load(model: MediaWorkerModel) -> TaskRunner:
    """Build what runs the tasks; raises StartupError, or what vLLM raises for the model."""
    args = parse_engine_args(model.model, model.engine_flags)
    structures = StructureCheck.load(args)
    preprocessor = Preprocessor.load(args)
    media = None
    if preprocessor is not None:
        media = MediaTasks(preprocessor.preprocess, preprocessor.heard_s)

    def run(task: object, files: Sequence[BinaryIO]) -> object:
        if isinstance(task, CheckStructure):
            structures.check(task.wanted)
            return None
        if media is None:
            raise InvalidRequestError("prompt", "the model takes text only")
        return media.run(task, files)

    return run


if __name__ == "__main__":
    # Nothing is left to save, and what vLLM imports takes seconds to leave in order.
    os._exit(run_fork_server(Channel.from_fd(int(sys.argv[1])), load))
