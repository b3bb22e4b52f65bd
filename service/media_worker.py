"""The composition root of the media workers: `python -m service.media_worker CONTROL_FD`.

Started by the server's WorkerPool and by nobody else. It puts decoding (service.media) and the
model's processor (service.engine) together in the process that all workers are forked from.
"""

from __future__ import annotations

import os
import sys

from service.config import MediaWorkerModel
from service.engine.engine_args import parse_engine_args
from service.engine.preprocessor import Preprocessor
from service.errors import InvalidRequestError
from service.media.tasks import MediaTasks
from service.workers.channel import Channel
from service.workers.fork_server import run_fork_server
from service.workers.worker import TaskRunner


def load(model: MediaWorkerModel) -> TaskRunner:
    """Build what runs the tasks; raises StartupError, or what vLLM raises for the model."""
    preprocessor = Preprocessor.load(parse_engine_args(model.model, model.engine_flags))
    if preprocessor is None:
        return _refuse
    return MediaTasks(preprocessor.preprocess, preprocessor.heard_s).run


def _refuse(_task: object, _files: object) -> None:
    raise InvalidRequestError("prompt", "the model takes text only")


if __name__ == "__main__":
    # Nothing is left to save, and what vLLM imports takes seconds to leave in order.
    os._exit(run_fork_server(Channel.from_fd(int(sys.argv[1])), load))
