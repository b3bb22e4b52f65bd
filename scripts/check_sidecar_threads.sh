#!/usr/bin/env bash
# Builds the sidecar with ThreadSanitizer and drives it from many threads (tests/load/sidecar_load.py); fails
# on a report, on another answer, and on a drain that does not end. Usage: scripts/check_sidecar_threads.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build/sidecar-tsan
scripts/build_sidecar.sh "$folder" -DTRIPTYCH_SANITIZE=thread -DTRIPTYCH_TESTS=OFF \
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O1 -g1"
# Debian's gRPC, protobuf and absl are built without the sanitizer. It does not see their locks, and would take all
# that they hand from thread to thread for races (some 1,000 reports). A suppression is no cure: it matches any frame,
# and gRPC is below all that our server does. This option leaves out what those libraries touch, and nothing
# of ours: with the lock of OpenCalls taken out, the reports come.
export TSAN_OPTIONS="ignore_noninstrumented_modules=1 exitcode=66"
PYTHONPATH=.:gen/python "${VENV:-.venv}/bin/python" -m tests.load.sidecar_load \
  --binary "$folder/triptych-tokenizer" --seconds "${1:-15}"
