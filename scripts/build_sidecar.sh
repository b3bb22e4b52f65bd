#!/usr/bin/env bash
# Builds the tokenizer sidecar. Usage: scripts/build_sidecar.sh [BUILD_FOLDER [CMAKE_OPTION ...]]
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-build/sidecar}
shift || true

cmake -S sidecar -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" >"$(mkdir -p "$folder" && echo "$folder")/configure.log" || {
  cat "$folder/configure.log" >&2
  echo "sidecar: cmake cannot configure; is something missing? run: make setup" >&2
  exit 1
}
cmake --build "$folder"
