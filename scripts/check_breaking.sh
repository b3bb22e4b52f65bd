#!/usr/bin/env bash
# Fails where proto/ breaks a caller of the last release; before the first release, of the last commit.
#
# BREAKING_AGAINST names another commit. A tree without history (an archive, a clone of depth one) has
# nothing to be compared with, and the check says so. The old files are unpacked instead of
# giving buf the repository: buf would clone it, which fails in a worktree.
set -euo pipefail
cd "$(dirname "$0")/.."

buf=${VENV:-.venv}/bin/buf

has_contract() {
  git cat-file -e "$1:proto" 2>/dev/null
}

find_earlier_commit() {
  local commit
  for commit in "${BREAKING_AGAINST:-}" "$(git describe --tags --abbrev=0 2>/dev/null)" HEAD~1; do
    if [ -n "$commit" ] && has_contract "$commit"; then
      echo "$commit"
      return
    fi
  done
}

if [ -n "${BREAKING_AGAINST:-}" ] && ! has_contract "$BREAKING_AGAINST"; then
  echo "breaking: no proto/ in BREAKING_AGAINST=$BREAKING_AGAINST" >&2
  exit 1
fi
earlier=$(find_earlier_commit)
if [ -z "$earlier" ]; then
  echo "breaking: no earlier version of proto/ here, nothing to compare with"
  exit 0
fi
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
git archive "$earlier" proto buf.yaml | tar -x -C "$unpacked"
"$buf" breaking --against "$unpacked"
echo "breaking: proto/ breaks nobody who uses $earlier"
