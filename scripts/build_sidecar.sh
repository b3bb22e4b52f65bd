#!/usr/bin/env bash
# Builds the tokenizer sidecar. Usage: scripts/build_sidecar.sh [BUILD_FOLDER [CMAKE_OPTION ...]]
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${1:-build/sidecar}
shift || true

mkdir -p "$folder"
if ! cmake -S sidecar -B "$folder" -G Ninja "$@" >"$folder/configure.log" 2>&1; then
  cat "$folder/configure.log" >&2
  echo "sidecar: cmake cannot configure; if something is missing, run: make setup" >&2
  exit 1
fi
cmake --build "$folder"
