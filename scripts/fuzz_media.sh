#!/usr/bin/env bash
# Fuzzes the media decoders one after the other, and prints a table. A finding is an input under
# build/fuzz_media/findings/DECODER; fails if there is any. After a finding, the same decoder goes on.
# Usage: scripts/fuzz_media.sh [SECONDS_EACH=600] [DECODER ...]     all decoders where none is named
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
shift || true
python=.venv/bin/python
folder=build/fuzz_media
export SVT_LOG=0
if ! "$python" -c 'import atheris' 2>/dev/null; then
  echo "fuzz: atheris is missing; run: scripts/setup_python.sh" >&2
  exit 1
fi
decoders=("$@")
if [ ${#decoders[@]} -eq 0 ]; then
  read -r -a decoders <<<"$("$python" -c 'from tests.fuzz.media_seeds import DECODERS; print(*DECODERS)')"
fi
"$python" -m tests.fuzz.media_fuzz --seeds "$folder/seeds" 2>/dev/null

status=0
table=$(printf '%-12s %8s %12s %9s %8s %9s' decoder seconds executions coverage corpus findings)
for decoder in "${decoders[@]}"; do
  corpus=$folder/corpus/$decoder
  findings=$folder/findings/$decoder
  log=$folder/$decoder.log
  rm -rf "$findings"
  mkdir -p "$corpus" "$findings"
  : >"$log"
  executions=0
  began=$SECONDS
  while [ $((seconds - (SECONDS - began))) -gt 0 ]; do
    nice -n 10 "$python" -m tests.fuzz.media_fuzz "$decoder" -max_total_time=$((seconds - (SECONDS - began))) \
      -timeout=20 -report_slow_units=20 -rss_limit_mb=1500 -max_len=65536 -print_final_stats=1 -verbosity=1 \
      -artifact_prefix="$findings/" "$corpus" "$folder/seeds/$decoder" >"$log.part" 2>&1 || status=1
    executions=$((executions + $(grep --only-matching --extended-regexp '^#[0-9]+' "$log.part" | tail -n 1 | tr -d '#' || echo 0)))
    # Libraries that grumble about each damaged file would fill the disk.
    grep --extended-regexp '^(#|==|ERROR|SUMMARY|stat|artifact|Traceback|  File|[A-Za-z.]+(Error|Exception))' "$log.part" >>"$log" || true
    rm -f "$log.part"
  done
  found=$(find "$findings" -type f | wc -l)
  coverage=$(grep --only-matching --extended-regexp 'cov: [0-9]+' "$log" | tail -n 1 | cut -d' ' -f2 || true)
  table+=$'\n'$(printf '%-12s %8d %12d %9d %8d %9d' "$decoder" $((SECONDS - began)) \
    "$executions" "${coverage:-0}" "$(find "$corpus" -type f | wc -l)" "$found")
  echo "$table" | tail -n 1 >&2
done
echo "$table"
exit "$status"
