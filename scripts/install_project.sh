#!/usr/bin/env bash
# Installs this project into .venv, editable: the `triptych` command, and the packages from any folder.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
# --no-build-isolation: the build backend too is the one that the requirements lock.
VIRTUAL_ENV=$venv "$venv/bin/uv" pip install --quiet --no-deps --no-build-isolation --editable .
