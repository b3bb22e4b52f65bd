#!/usr/bin/env bash
# Builds grpcurl into build/bin, for the test that calls the server as a person with a shell would.
set -euo pipefail
cd "$(dirname "$0")/.."

version=v1.9.3

if [ -x build/bin/grpcurl ]; then
  exit 0
fi
if ! command -v go >/dev/null; then
  echo "grpcurl: needs Go, which is not here; install it, then run again" >&2
  exit 1
fi
GOBIN="$PWD/build/bin" go install "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version"
