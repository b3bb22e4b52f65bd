#!/usr/bin/env bash
# Runs the test of the code that is written for NEON (sidecar/unicode/byte_classes.cc) in an emulated ARM
# processor. On an ARM machine the sidecar's own tests do.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build/neon
mkdir -p "$folder"
if [ "$(uname -m)" = aarch64 ]; then
  exit 0
fi
scripts/setup_system.sh arm
echo "neon: building the test for ARM"
googletest=/usr/src/googletest/googletest
aarch64-linux-gnu-g++ -std=c++20 -O2 -Wall -Wextra -Werror -Isidecar -isystem "$googletest/include" \
  -isystem "$googletest" sidecar/unicode/byte_classes.cc sidecar/unicode/byte_classes_test.cc \
  "$googletest/src/gtest-all.cc" "$googletest/src/gtest_main.cc" -o "$folder/byte_classes_test"
qemu-aarch64-static -L /usr/aarch64-linux-gnu "$folder/byte_classes_test" --gtest_brief=1
