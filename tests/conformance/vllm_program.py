"""vLLM's own offline interface (`LLM`) in a process of its own: what our server is held to.

Reads one job as JSON from standard input, writes its results to the file that the job names:
`python -m tests.conformance.vllm_program`. It has the machine while a server starts beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT_S = 600


class Running:
    """A job that runs; `results` waits for it."""

    def __init__(self, process: subprocess.Popen[str], output: Path) -> None:
        self._process = process
        self._output = output

    def results(self) -> list[Any]:
        """Return one result for each request; raises what it printed when it failed."""
        log, _ = self._process.communicate(timeout=_TIMEOUT_S)
        if self._process.returncode:
            raise RuntimeError(log)
        return list(json.loads(self._output.read_text()))


@contextmanager
def running(
    model: Path, engine: dict[str, Any], requests: Sequence[dict[str, Any]]
) -> Iterator[Running]:
    """Start vLLM on a checkpoint with these settings, and give it the requests, one by one.

    A request is a `prompt` (a text, or ids), and may have an `image` (a file), an `adapter`
    (name, number, folder), and `sampling` or `pooling`: parameters by name. The result is the ids
    of the answer, or the vector.
    """
    output = model / "vllm_results.json"
    job = {"model": str(model), "engine": engine, "requests": requests, "output": str(output)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.conformance.vllm_program"],
        cwd=ROOT,
        env={
            **os.environ,
            "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(ROOT),
            "VLLM_CPU_KVCACHE_SPACE": "1",
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_LOGGING_LEVEL": "ERROR",
            "VLLM_NO_USAGE_STATS": "1",
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    process.stdin = None
    try:
        yield Running(process, output)
    finally:
        process.kill()
        process.wait()


def main() -> None:
    job = json.load(sys.stdin)
    from vllm import LLM

    llm = LLM(job["model"], enforce_eager=True, gpu_memory_utilization=0.3, **job["engine"])
    results = [_answer(llm, request) for request in job["requests"]]
    Path(job["output"]).write_text(json.dumps(results))


def _answer(llm: Any, request: dict[str, Any]) -> Any:
    from vllm import PoolingParams, SamplingParams
    from vllm.lora.request import LoRARequest

    prompt = _prompt(request)
    adapter = LoRARequest(*request["adapter"]) if request.get("adapter") else None
    if "pooling" in request:
        params = PoolingParams(**request["pooling"])
        (output,) = llm.embed(prompt, pooling_params=params, lora_request=adapter, use_tqdm=False)
        return output.outputs.embedding
    params = SamplingParams(**request["sampling"], detokenize=False)
    (output,) = llm.generate(prompt, params, lora_request=adapter, use_tqdm=False)
    return list(output.outputs[0].token_ids)


def _prompt(request: dict[str, Any]) -> dict[str, Any]:
    given = request["prompt"]
    prompt = {"prompt": given} if isinstance(given, str) else {"prompt_token_ids": given}
    if "image" in request:
        from PIL import Image

        prompt["multi_modal_data"] = {"image": Image.open(request["image"]).convert("RGB")}
    return prompt


if __name__ == "__main__":
    main()
