"""`make tokenizer-bench`: our tokenizers beside other projects', in one run, as markdown tables.

Ours are timed in the sidecar's process, by Google Benchmark; the others through their wheels, each
in the form it is fastest in (benchmarks/tokenizer_peers.py). All are CPU seconds of the whole
process, one thread. A pass times everything once, each tokenizer in a fresh process, one after the
other; what is shown is the median of the passes, so that a busy moment of the machine meets all.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.tokenizer_peers import PEERS
from benchmarks.tokenizer_tables import OURS, Measurement, print_tables
from benchmarks.tokenizer_texts import write_text_sets
from tests.parity.real_vocabularies import (
    PROJECT_ROOT,
    FetchError,
    Package,
    real_vocabularies,
    vocabularies_in,
)

BUILD = PROJECT_ROOT / "build" / "tokenizer_bench"
TEXTS = BUILD / "texts"
PEERS_VENV = BUILD / "peers"
SIDECAR_BUILD = BUILD / "sidecar"
# The form of Llama 2 is that of Mistral's first: the same stages, other pieces. The true one is in
# no registry; phi-3-mini, which a folder may hold, has it.
VOCABULARIES = ("qwen2.5", "llama3.1", "mistral-v0.1", "phi-3-mini")
TRANSLATIONS = Package(
    registry="pypi",
    package="django",
    version="5.2.8",
    sha256="37e687f7bd73ddf043e2b6b97cfe02fcbb11f2dbb3adccc6a2b18c6daa054d7f",
)
_TIMEOUT_S = 600
_ONE_THREAD = {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}


def main() -> None:
    """Make everything ready, run the passes, print the tables."""
    parser = argparse.ArgumentParser(prog="tokenizer-bench", description=__doc__)
    parser.add_argument("--folder", type=Path, help="further vocabularies, */tokenizer.json")
    parser.add_argument("--only", nargs="*", default=VOCABULARIES, help="names of vocabularies")
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.05, help="for each figure and pass")
    parser.add_argument("--ours-only", action="store_true", help="time no other tokenizer")
    parser.add_argument("--texts-only", action="store_true", help="only make the texts")
    parser.add_argument("--json", type=Path, help="also write every measured second here")
    arguments = parser.parse_args()
    make_texts()
    if arguments.texts_only:
        return
    paths = vocabulary_paths(arguments.folder, arguments.only)
    build_ours()
    peers = [] if arguments.ours_only else list(PEERS)
    if peers:
        make_peers_environment()
    samples: dict[Measurement, list[float]] = defaultdict(list)
    for number in range(arguments.passes):
        for name, path in paths.items():
            print(f"pass {number + 1} of {arguments.passes}: {name}", file=sys.stderr, flush=True)
            measure_ours(name, path, arguments.seconds, samples)
            for peer in peers:
                # The hard texts take some peers long, and are not close: once is enough.
                measure_peer(peer, name, path, arguments.seconds, samples, worst=number == 0)
    medians = {key: statistics.median(values) for key, values in samples.items()}
    if arguments.json:
        entries = [{"of": list(key), "seconds": values} for key, values in samples.items()]
        arguments.json.write_text(json.dumps(entries))
    print_tables(medians, list(paths), [OURS, *peers], set_sizes())


def make_texts() -> None:
    """Make the texts, once."""
    if (TEXTS / "seed_filler").exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        write_text_sets(TEXTS, TRANSLATIONS.download(Path(folder)))


def set_sizes() -> dict[str, tuple[int, int]]:
    """Return the number of texts and bytes of each set."""
    return {
        folder.name: (len(files), sum(file.stat().st_size for file in files))
        for folder in TEXTS.iterdir()
        if (files := list(folder.iterdir()))
    }


def vocabulary_paths(folder: Path | None, only: list[str]) -> dict[str, Path]:
    """Return the tokenizer.json of each vocabulary that is asked for and can be had."""
    try:
        found = vocabularies_in(folder) if folder else {}
    except FetchError as exc:
        sys.exit(f"tokenizer-bench: {exc}")
    for name, vocabulary in real_vocabularies().items():
        if name in only:
            try:
                found[name] = vocabulary.fetch()
            except FetchError as exc:
                print(f"tokenizer-bench: NOT TIMED: {exc}", file=sys.stderr)
    paths = {name: found[name] for name in only if name in found}
    if not paths:
        sys.exit("tokenizer-bench: no vocabulary can be had")
    return paths


def build_ours() -> None:
    """Build tokenizer-bench."""
    run("scripts/setup_system.sh", "bench")
    options = ("-DTRIPTYCH_BENCH=ON", "-DTRIPTYCH_TESTS=OFF")
    run("cmake", "-S", "sidecar", "-B", str(SIDECAR_BUILD), "-G", "Ninja", *options)
    run("cmake", "--build", str(SIDECAR_BUILD), "--target", "tokenizer-bench")


def make_peers_environment() -> None:
    """Make the other tokenizers' environment; 0.23 runs in ours."""
    environment = {**os.environ, "VENV": str(PEERS_VENV)}
    run("scripts/setup_python.sh", "requirements/tokenizer_peers.txt", environment=environment)


def run(*command: str, environment: dict[str, str] | None = None) -> None:
    """Run a step of the preparation; show what it says only where it fails."""
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"tokenizer-bench: {' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr}")


def measure_ours(
    name: str, path: Path, budget_s: float, samples: dict[Measurement, list[float]]
) -> None:
    """Add one pass of ours."""
    flags = ["--benchmark_format=json", f"--benchmark_min_time={budget_s}"]
    command = [SIDECAR_BUILD / "tokenizer-bench", f"--texts={TEXTS}", f"{name}={path}", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    if done.returncode != 0:
        print(f"tokenizer-bench: {done.stderr.strip()}", file=sys.stderr)
        return
    for result in json.loads(done.stdout)["benchmarks"]:
        # NAME/WHAT/SET/options; a name of ours has no slash.
        what = "/".join(result["name"].split("/")[1:3])
        if result["name"].split("/")[1] == "load":
            samples[Measurement(name, OURS, "load")].append(result["real_time"] / 1e9)
            samples[Measurement(name, OURS, "rss_mb")].append(result["rss_mb"])
        elif not result.get("error_occurred"):
            samples[Measurement(name, OURS, what)].append(result["cpu_time"] / 1e9)
            if "items_per_second" in result:
                tokens = result["items_per_second"] * result["cpu_time"] / 1e9
                samples[Measurement(name, OURS, f"tokens/{what}")].append(tokens)


def measure_peer(  # noqa: PLR0913 - one call's worth of what it takes
    peer: str,
    name: str,
    path: Path,
    budget_s: float,
    samples: dict[Measurement, list[float]],
    *,
    worst: bool,
) -> None:
    """Add one pass of a peer."""
    is_reference = peer.startswith("tokenizers 0.23")
    python = Path(sys.executable) if is_reference else PEERS_VENV / "bin" / "python"
    script = PROJECT_ROOT / "benchmarks" / "tokenizer_peers.py"
    command = [python, script, peer, path, TEXTS, str(budget_s), *["--with-worst"][: int(worst)]]
    environment = {**os.environ, **_ONE_THREAD}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=_TIMEOUT_S
        )
    except subprocess.SubprocessError as exc:
        reason = (getattr(exc, "stderr", None) or str(exc)).strip()[-300:]
        print(f"tokenizer-bench: {peer} on {name}: {reason}", file=sys.stderr)
        return
    for what, seconds in json.loads(done.stdout).items():
        if isinstance(seconds, float):
            samples[Measurement(name, peer, what)].append(seconds)
        else:
            print(f"tokenizer-bench: {peer} on {name}, {what}: {seconds}", file=sys.stderr)


if __name__ == "__main__":
    main()
