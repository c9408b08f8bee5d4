#!/usr/bin/env bash
# Signals and exit codes of a whole process: process_test.sh BINARY. Says what is wrong and ends with 1 if something is.
set -euo pipefail
server=$(realpath "$1")
folder=$(mktemp -d)
node=
trap '[[ -z $node ]] || kill -KILL "$node" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"

die() {
  echo "FAILED: $*" >&2
  cat log >&2 || true
  exit 1
}

# A node on a unix socket; returns when it takes connections.
start() {
  "$server" --port 0 --unixsocket "$folder/socket" --threads 2 "$@" >log 2>&1 &
  node=$!
  for _ in {1..500}; do
    if grep -q 'Ready to accept' log; then return; fi
    kill -0 "$node" 2>/dev/null || die "the node has ended"
    sleep 0.02
  done
  die "the node is not ready after 10 s"
}

# ends_with STATUS WHAT
ends_with() {
  local status=0
  wait "$node" || status=$?
  node=
  ((status == $1)) || die "$2: exit code $status, not $1"
}

start
kill -HUP "$node"
sleep 0.2
kill -0 "$node" 2>/dev/null || die "SIGHUP ends the node"
kill -TERM "$node"
ends_with 0 "SIGTERM after SIGHUP"

limit=64
if (ulimit -n $limit && ulimit -n $((limit + 1))) 2>/dev/null; then
  echo "skipped: too few descriptors for the threads (who may raise any limit always has enough)"
  exit 0
fi
(ulimit -n $limit && exec "$server" --port 0 --unixsocket "$folder/socket" --threads 40) >log 2>&1 &
node=$!
ends_with 6 "40 threads with $limit descriptors"
(($(grep -c 'cannot start 40 threads' log) == 1)) || die "no line says why"
