#!/usr/bin/env bash
# Resolves requirements/*.in into requirements/*.txt, with a hash for each file.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=${VENV:-.venv}/bin/uv
for name in cpu cuda dev; do
  overrides=(--override requirements/overrides.txt)
  if [ "$name" != cuda ]; then
    overrides+=(--override requirements/overrides_cpu.txt)
  fi
  # --no-emit-index-url: the file must not name the index of the machine that made it.
  "$uv" pip compile --quiet --python-version 3.11 "${overrides[@]}" \
    --generate-hashes --no-annotate --no-header --no-emit-index-url \
    "requirements/$name.in" --output-file "requirements/$name.txt"
  # `==` would also match a local build such as 2.13.0+cpu, whose hash is not in the file.
  sed -i 's/^torch==/torch===/' "requirements/$name.txt"
done
"$uv" pip compile --quiet --python-version 3.11 --no-deps --prerelease allow \
  --generate-hashes --no-annotate --no-header --no-emit-index-url \
  requirements/tokenizer_peers.in --output-file requirements/tokenizer_peers.txt
