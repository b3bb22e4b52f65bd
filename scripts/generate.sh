#!/usr/bin/env bash
# Generates Python from proto/. Usage: scripts/generate.sh [OUTPUT_FOLDER]
# tests/architecture/test_generated.py runs it into an empty folder and compares.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-gen/python}
venv=${VENV:-.venv}
# protoc finds mypy-protobuf's plugins on the path.
PATH="$(cd "$venv/bin" && pwd):$PATH"

mkdir -p "$out"
# What a removed .proto left behind would still be importable.
rm -rf "${out:?}/triptych"
mapfile -t protos < <(find proto -name '*.proto' | LC_ALL=C sort)
python -m grpc_tools.protoc -Iproto \
  --python_out="$out" --grpc_python_out="$out" --mypy_out=quiet:"$out" --mypy_grpc_out=quiet:"$out" \
  "${protos[@]}"
