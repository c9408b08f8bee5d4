#!/usr/bin/env bash
# Installs what is missing, builds and runs the tests. The last line is "N passed, M failed".
set -euo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
source "$here/packages.sh"

usage() {
  cat <<'USAGE'
usage: scripts/test.sh [--preset NAME] [--label X] [--no-compat]
  --preset NAME  a preset of CMakePresets.json (default: release); asan, tsan ...
  --label X      only the tests with ctest label X, without the compatibility tests; "long" is left out otherwise
  --no-compat    without tests/compat and tests/clients (whole servers beside redis-server, driven by real clients)
USAGE
}

preset=release label="" compat=yes
while (($# > 0)); do
  case $1 in
    --preset | --label) (($# > 1)) || die "$1 needs a value; see scripts/test.sh --help" ;;&
    --preset) preset=$2 && shift 2 ;;
    --label) label=$2 compat=no && shift 2 ;;
    --no-compat) compat=no && shift ;;
    -h | --help) usage && exit 0 ;;
    *) die "unknown option '$1'; see scripts/test.sh --help" ;;
  esac
done

passed=0 failed=0
# add_counts "N M" STATUS: a run that went wrong without a failed test (a crash, a leak at exit) counts as one.
add_counts() {
  local here_passed=0 here_failed=0
  read -r here_passed here_failed <<<"${1:-0 0}"
  if (($2 != 0 && here_failed == 0)); then here_failed=1; fi
  passed=$((passed + here_passed)) failed=$((failed + here_failed))
}

sanitizer_environment() {
  local symbolizer
  symbolizer=$(command -v llvm-symbolizer-19 || true)
  export ASAN_OPTIONS=${ASAN_OPTIONS:-strict_string_checks=1:detect_stack_use_after_return=1}
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
  export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:suppressions=$root/tests/tsan.supp}
  if [[ -n $symbolizer ]]; then
    ASAN_OPTIONS+=":external_symbolizer_path=$symbolizer"
    UBSAN_OPTIONS+=":external_symbolizer_path=$symbolizer"
    TSAN_OPTIONS+=":external_symbolizer_path=$symbolizer"
  fi
}

run_ctest() {
  local report=$root/build/$preset/tests.xml status=0 which=(-LE '^long$')
  case $label in
    "") ;;
    long) which=(-L '^long$') ;;
    *) which+=(-L "^$label\$") ;;
  esac
  rm -f "$report"
  ctest --test-dir "$root/build/$preset" --parallel "$jobs" --output-on-failure --no-tests=error \
    --output-junit "$report" --test-output-size-passed 1048576 --test-output-size-failed 1048576 \
    "${which[@]}" || status=$?
  add_counts "$("$here/count-tests" "$report")" "$status"
}

# run_python NAME [OPTION...]: tests/NAME/run.py, which drives whole servers and ends with "N passed, M failed".
run_python() {
  local log=$root/build/$preset/$1.log status=0
  /usr/bin/python3 "$root/tests/$1/run.py" --server "$root/build/$preset/bin/magpie-server" "${@:2}" 2>&1 | tee "$log" ||
    status=$?
  add_counts "$(counts_of "$log")" "$status"
}

install_packages test
build "$preset" ON
sanitizer_environment
run_ctest
if [[ $compat == yes ]]; then
  run_python compat --self-test
  run_python compat
  run_python clients
fi
echo "$passed passed, $failed failed"
((failed == 0))
