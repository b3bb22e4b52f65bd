#!/usr/bin/env bash
# Runs the sidecar's fuzz targets under the address and undefined-behaviour sanitizers, one after the other,
# and prints a table. A finding is an input under build/fuzz/findings/TARGET; fails if there is any.
# Usage: [SECONDS_EACH=900] scripts/fuzz_sidecar.sh [TARGET ...]     all targets where none is named
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${SECONDS_EACH:-900}
folder=build/fuzz
if ! command -v clang++-14 >/dev/null; then
  echo "fuzz: clang 14 is missing; run: scripts/setup_system.sh fuzz" >&2
  exit 1
fi
mkdir -p "$folder"
if ! nice -n 19 scripts/build_sidecar.sh "$folder" -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_CXX_FLAGS="-O1 -gline-tables-only" -DTRIPTYCH_FUZZ=ON -DTRIPTYCH_TESTS=OFF >"$folder/build.log"; then
  tail -n 40 "$folder/build.log" >&2
  exit 1
fi

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for program in "$folder"/fuzz/*_fuzz; do
    name=$(basename "$program")
    targets+=("${name%_fuzz}")
  done
fi

# The last value that libFuzzer printed behind a word, such as `cov: 1234`.
last() {
  { grep --only-matching --extended-regexp "$1 *[0-9]+" "$2" || echo "$1 0"; } | tail -n 1 | grep --only-matching '[0-9]*$'
}

status=0
table=$(printf '%-10s %8s %12s %9s %8s %9s' target seconds executions coverage corpus findings)
for target in "${targets[@]}"; do
  corpus=$folder/corpus/$target
  findings=$folder/findings/$target
  log=$folder/$target.log
  rm -rf "$findings"
  mkdir -p "$corpus" "$findings"
  options=(-max_total_time="$seconds" -timeout=60 -report_slow_units=60 -rss_limit_mb=2560 -max_len=16384 -print_final_stats=1)
  options+=(-artifact_prefix="$findings/")
  dictionary=sidecar/fuzz/$target.dict
  [ -f "$dictionary" ] && options+=(-dict="$dictionary")
  # A caller has its answer before gRPC's thread has let go of the call. A leak that is looked for in between is none;
  # one at the end is.
  [ "$target" = service ] && options+=(-detect_leaks=0)
  began=$SECONDS
  nice -n 19 "$folder/fuzz/${target}_fuzz" "${options[@]}" "$corpus" "sidecar/fuzz/seeds/$target" >"$log" 2>&1 || status=1
  found=$(find "$findings" -type f | wc -l)
  table+=$'\n'$(printf '%-10s %8d %12d %9d %8d %9d' "$target" $((SECONDS - began)) \
    "$(last number_of_executed_units: "$log")" "$(last cov: "$log")" "$(find "$corpus" -type f | wc -l)" "$found")
  echo "$table" | tail -n 1 >&2
done
echo "$table"
exit "$status"
