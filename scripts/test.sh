#!/usr/bin/env bash
# All tests: the sidecar's own (ctest), then Python's. Arguments go to pytest.
set -uo pipefail
cd "$(dirname "$0")/.."

bin=${VENV:-.venv}/bin
status=0

ctest --test-dir build/sidecar --output-on-failure --progress || status=1
"$bin/python" -m pytest "$@" || status=1
exit "$status"
