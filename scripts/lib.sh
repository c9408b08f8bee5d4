# Sourced by the scripts beside it: messages, and the one way to configure and build a preset.
# Everything here speaks on stderr, so that stdout belongs to the program that a script ends with.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
jobs=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# quietly LOG COMMAND...: shows the command's output only if it fails. The exit code is the command's.
quietly() {
  local log=$1 status=0
  shift
  "$@" >"$log" 2>&1 </dev/null || status=$?
  ((status == 0)) || cat "$log" >&2
  return "$status"
}

# configure PRESET [CMAKE-ARGUMENT...]: a tree that was copied or moved has a cache that names the old place; then, and
# only then, the cache is thrown away.
configure() {
  local preset=$1 fresh=() cache=$root/build/$1/CMakeCache.txt
  shift
  if [[ -f $cache ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then fresh=(--fresh); fi
  quietly "$root/build/$preset.configure.log" cmake "${fresh[@]}" -S "$root" --preset "$preset" "$@"
}

# build PRESET TESTS [TARGET]: configures with MAGPIE_TESTS=TESTS (ON or OFF) and builds TARGET (default: everything).
# Two builds of one preset take turns, so that several servers may be started at once from a fresh clone.
build() {
  local preset=$1 tests=$2 target=${3:-all} log=$root/build/$1.build.log
  mkdir -p "$root/build" || die "cannot write to $root/build; make the folder writable or use another clone"
  (
    flock 9
    configure "$preset" "-DMAGPIE_TESTS=$tests" || die "configuring preset '$preset' failed, see above"
    quietly "$log" cmake --build "$root/build/$preset" --target "$target" --parallel "$jobs" ||
      die "building '$target' of preset '$preset' failed, see above (also in $log)"
  ) 9>"$root/build/$preset.lock"
}

# The last "N passed, M failed" of a file, as "N M"; nothing if there is none.
counts_of() {
  sed -nE 's/.*\b([0-9]+) passed, ([0-9]+) failed\b.*/\1 \2/p' "$1" | tail -n 1
}
