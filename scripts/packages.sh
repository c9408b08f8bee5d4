#!/usr/bin/env bash
# The one list of Debian 12 packages that Magpie needs, in groups.
#
#   scripts/packages.sh build      install what building and running the server takes
#   scripts/packages.sh test       ... and what tests and checks take (includes build)
#   scripts/packages.sh bench      ... and what bench/ takes (includes build)
#   scripts/packages.sh runtime    only the libraries of a finished binary (the container image)
#   scripts/packages.sh --list GROUP
#
# Or source it and call install_packages GROUP. Installs only what is missing, asks nothing, and asks the network for
# nothing if all is there. No package of these groups brings a service.
# MAGPIE_SKIP_PACKAGES=1 skips it all, for machines whose packages come from elsewhere.
set -euo pipefail

packages_build=(
  build-essential cmake ninja-build ccache mold pkg-config
  libuv1-dev libxxhash-dev libspdlog-dev libmimalloc-dev libcli11-dev
  libprotobuf-dev protobuf-compiler libisal-dev libssl-dev liblz4-dev
)
packages_test=(
  "${packages_build[@]}"
  doctest-dev libbenchmark-dev libhiredis-dev
  clang-19 clang-tidy-19 clang-format-19 libclang-rt-19-dev llvm-19 # llvm: symbols in sanitizer reports
  python3 python3-redis nodejs npm redis-tools                      # clients that the compatibility tests drive
  git ca-certificates procps zstd
)
# What bench/ calls, beside the binaries of a build with MAGPIE_BENCH.
packages_bench=("${packages_build[@]}" libbenchmark-dev redis-tools python3 bc procps util-linux zstd)
# Keep in step with the -dev packages above; the Dockerfile fails if one is missing.
packages_runtime=(libuv1 libxxhash0 libspdlog1.10 libfmt9 libmimalloc2.0 libprotobuf-lite32 libisal2 libssl3 liblz4-1)

packages_die() {
  echo "error: $*" >&2
  exit 1
}

packages_of() {
  case $1 in
    build) printf '%s\n' "${packages_build[@]}" ;;
    test) printf '%s\n' "${packages_test[@]}" ;;
    bench) printf '%s\n' "${packages_bench[@]}" ;;
    runtime) printf '%s\n' "${packages_runtime[@]}" ;;
    *) packages_die "no package group '$1'; there are: build, test, bench, runtime" ;;
  esac
}

# Those of the names on stdin that are neither installed nor provided by an installed package (another vendor's nodejs,
# say, which has npm in it and conflicts with Debian's).
missing_packages() {
  local name provided
  provided=$(dpkg-query -W -f='${db:Status-Status} ${Provides}\n' | sed -n '/^installed ./{s/^installed //; s/ *([^)]*)//g; s/, */\n/g; p}')
  while read -r name; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] ||
      grep -qxF "$name" <<<"$provided" || echo "$name"
  done
}

# As root, through sudo where we are not. DPkg::Lock: another apt may be running on a machine that has just started.
apt_get() {
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    as_root=(sudo)
    [[ -t 0 ]] || as_root=(sudo -n) # nobody there to type a password
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >&2 </dev/null
}

# Whether the package lists know every one of the names; a fresh container has no lists at all.
lists_know() {
  local name
  for name in "$@"; do
    apt-cache policy "$name" 2>/dev/null | grep -q 'Candidate: [^(]' || return 1
  done
}

install_packages() {
  [[ -z ${MAGPIE_SKIP_PACKAGES:-} ]] || return 0
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    packages_die "this is not Debian: install by hand what 'scripts/packages.sh --list $1' names, then set MAGPIE_SKIP_PACKAGES=1"
  local wanted missing attempt
  wanted=$(packages_of "$1")
  mapfile -t missing < <(missing_packages <<<"$wanted")
  ((${#missing[@]} > 0)) || return 0
  [[ $(id -u) == 0 ]] || command -v sudo >/dev/null ||
    packages_die "cannot install ${missing[*]}: run as root, or install sudo, or: apt-get install ${missing[*]}"

  echo "installing ${missing[*]}" >&2
  for attempt in 1 2 3; do
    # A third-party source that is down must not stop us: what counts is whether the install succeeds.
    if ((attempt > 1)) || ! lists_know "${missing[@]}"; then apt_get update || true; fi
    if apt_get install --no-install-recommends "${missing[@]}"; then return 0; fi
    sleep $((attempt * 3))
  done
  packages_die "apt-get could not install ${missing[*]}: see its messages above (Debian 12 and its mirror are needed)"
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  case ${1:-} in
    build | test | bench | runtime) install_packages "$1" ;;
    --list) packages_of "${2:-test}" ;;
    *) packages_die "usage: scripts/packages.sh build|test|bench|runtime, or --list GROUP" ;;
  esac
fi
