#!/usr/bin/env bash
# Rewrites the Python and C++ sources as scripts/check.sh wants them.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${VENV:-.venv}/bin
"$bin/ruff" check --fix-only --quiet
"$bin/ruff" format
find sidecar \( -name '*.cc' -o -name '*.h' \) -print0 | xargs -0 "$bin/clang-format" -i
