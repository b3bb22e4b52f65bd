#!/usr/bin/env bash
# All checks that need no build. Runs every one, then fails if any failed.
set -uo pipefail
cd "$(dirname "$0")/.."

bin=${VENV:-.venv}/bin
failed=()

check() {
  local name=$1
  shift
  printf -- '-- %s\n' "$name"
  "$@" || failed+=("$name")
}

check_cpp_format() {
  find sidecar \( -name '*.cc' -o -name '*.h' \) -print0 | xargs -0 "$bin/clang-format" --dry-run --Werror
}

check_dockerfile() {
  "$bin/hadolint" Dockerfile
}

check "ruff check" "$bin/ruff" check --quiet --output-format concise
check "ruff format" "$bin/ruff" format --check --output-format concise
check "mypy" "$bin/mypy" --no-error-summary
check "clang-format" check_cpp_format
check "import-linter" env PYTHONPATH=. "$bin/lint-imports" --no-logo
check "buf lint" "$bin/buf" lint
check "buf breaking" scripts/check_breaking.sh
check "hadolint" check_dockerfile

if [ ${#failed[@]} -gt 0 ]; then
  printf 'check: failed: %s\n' "$(IFS=,; echo "${failed[*]}")" >&2
  exit 1
fi
echo "check: all passed"
