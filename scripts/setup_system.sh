#!/usr/bin/env bash
# Installs the Debian packages that this project needs. Does nothing where all are there.
# Usage: scripts/setup_system.sh [build|bench|fuzz|arm|runtime]
# To build the sidecar; to build its benchmarks, to fuzz it, or to test what is written for ARM, as well; or only to
# run the service.
set -euo pipefail

case ${1:-build} in
  build)
    packages=(
      cmake ninja-build g++ pkg-config
      protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev libabsl-dev
      libsimdjson-dev libgtest-dev libseccomp2
    )
    ;;
  bench)
    # Beside those of build.
    packages=(libbenchmark-dev)
    ;;
  fuzz)
    # Beside those of build: libFuzzer and the sanitizers' runtime are clang's; a mutator changes JSON.
    packages=(clang-14 libclang-rt-14-dev nlohmann-json3-dev)
    ;;
  arm)
    # Beside those of build: a compiler and a processor.
    packages=(g++-aarch64-linux-gnu qemu-user-static)
    ;;
  runtime)
    # The sidecar's libraries, the media workers' sandbox, and the compiler with which torch and Triton
    # make kernels at run time.
    packages=(libgrpc++1.51 libprotobuf32 libsimdjson14 libseccomp2 g++)
    ;;
  *)
    echo "usage: scripts/setup_system.sh [build|bench|fuzz|arm|runtime]" >&2
    exit 2
    ;;
esac

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v dpkg-query >/dev/null; then
  echo "setup: not a Debian system; see to it that it has what these packages hold: ${packages[*]}" >&2
  exit 0
fi
missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
    echo "setup: these packages are missing and I may not install them; as root run:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install --quiet --yes --no-install-recommends "${missing[@]}"
