#!/usr/bin/env bash
# Ours beside redis-server and memcached: throughput, server CPU per operation and latency, as a Markdown table.
#   compare.sh [--quick] [--rows REGEX] [--server BINARY] [--rounds N] [--output FILE]
# A row is one server under one load and is named like "magpie threads=1 keys=1000000 value=32 P=16 get"; --rows keeps
# those whose name matches. --quick is one short round at 100,000 keys. Numbers are medians over the rounds; the servers
# take turns in every round, so that a drifting machine favours none.
#
# The server has core 0 (with two threads: 0 and 1), the load generator core 1; CORES_1, CORES_2 and LOAD_CORES change
# that, and on a machine with more cores they should, since two threads share a core with the load otherwise. The load
# is redis-benchmark's (memtier_benchmark's for memcached), 50 connections. A redis-server that is not in PATH is taken
# from redis-check-rdb, which is the same program by another name. Loads that do not fit the memory are left out.
set -u
. "$(dirname "$0")/checks/lib.sh"

quick=0 rows=. ours=build/release/bin/magpie-server rounds=3 output=
while (($# > 0)); do
  case $1 in
    --quick) quick=1; shift; continue ;;
    --rows) rows=${2-} ;;
    --server) ours=${2-} ;;
    --rounds) rounds=${2-} ;;
    --output) output=${2-} ;;
    *) die "unknown option '$1'; see the head of $0" ;;
  esac
  [[ -n ${2-} ]] || die "$1 needs a value"
  shift 2
done

threads_list=(1 2) keys_list=(1000000 10000000) value_list=(32 512 4096) pipeline_list=(1 16 64)
if ((quick)); then threads_list=(1) keys_list=(100000) value_list=(32) pipeline_list=(1 16) rounds=1; fi
cores_1=${CORES_1:-0} cores_2=${CORES_2:-0,1} load_cores=${LOAD_CORES:-1}
port=17910

servers=(magpie)
ours=$(program "$ours") || exit 2
if ! redis=$(command -v redis-server); then
  redis=$tmp/redis-server
  ln -s "$(program redis-check-rdb)" "$redis" || exit 2
fi
servers+=(redis)
if command -v memcached >/dev/null && command -v memtier_benchmark >/dev/null; then
  servers+=(memcached)
else
  echo "memcached is left out: it needs memcached and memtier_benchmark" >&2
fi

# Requests of one run: some seconds' worth of them.
requests() { # P
  local n
  case $1 in 1) n=500000 ;; 16) n=2000000 ;; *) n=4000000 ;; esac
  echo $((quick ? n / 10 : n))
}

fits() { # keys value: with what a server needs beside, and room to spare
  local available; available=$(awk '/MemAvailable/ {printf "%.0f", $2 * 1024}' /proc/meminfo)
  (($1 * ($2 + 150) * 5 / 4 < available))
}

start_memcached() { # threads
  free_port $port
  memcached -u nobody -l 127.0.0.1 -p $port -t "$1" -m 65536 >"$tmp/server.log" 2>&1 &
  pid_server=$!; pids="$pids $!"
  for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return; sleep 0.1; done
  die "memcached did not start: $(tail -3 "$tmp/server.log")"
}

start_server() { # server threads   -> pid_server, on its cores
  local cores=cores_$2
  case $1 in
    magpie) eval "start server $port $(server_command "$ours" $port --threads "$2")" ;;
    redis) eval "start server $port $(server_command "$redis" $port) --io-threads $2" ;;
    memcached) start_memcached "$2" ;;
  esac
  taskset -acp "${!cores}" "$pid_server" >/dev/null || die "cannot use the cores ${!cores}"
}

# Prints "operations/s p50 p99 p99.9", latencies in ms.
load() { # server op keys value P requests
  if [[ $1 == memcached ]]; then
    local ratio=1:0 line=Sets; [[ $2 == get ]] && ratio=0:1 line=Gets
    taskset -c "$load_cores" memtier_benchmark -s 127.0.0.1 -p $port -P memcache_text -t 1 -c 50 -n $(($6 / 50)) \
      --ratio "$ratio" -d "$4" --key-prefix key: --key-maximum "$3" --pipeline "$5" --hide-histogram \
      --print-percentiles 50,99,99.9 2>/dev/null | awk -v line="$line" '$1 == line {print $2, $6, $7, $8}'
    return
  fi
  taskset -c "$load_cores" redis-benchmark -p $port -t "$2" -n "$6" -r "$3" -d "$4" -P "$5" -c 50 --precision 3 |
    tr '\r' '\n' | awk '
      $2 == "<=" && $4 == "milliseconds" && $1 + 0 >= 99.9 && tail == "" {tail = $3}
      /throughput summary/ {rate = $3}
      summary && NF == 6 && $1 + 0 > 0 {median = $3; high = $5}
      /latency summary/ {summary = 1}
      END {print rate, median, high, tail}'
}

# Appends one measurement to the row's file: operations/s, microseconds of CPU per operation, latencies.
measure() { # server op keys value P file
  local n before after result
  n=$(requests "$5")
  before=$(cpu_ticks "$pid_server")
  result=$(load "$1" "$2" "$3" "$4" "$5" "$n")
  kill -0 "$pid_server" 2>/dev/null || die "$1 is gone: $(tail -3 "$tmp/server.log")"
  after=$(cpu_ticks "$pid_server")
  read -r rate p50 p99 p999 <<<"$result"
  [[ -n ${p999-} ]] || die "the load on $1 failed"
  echo "$rate $(echo "scale=4; ($after - $before) * 10000 / $n" | bc) $p50 $p99 $p999" >>"$6"
}

wanted() { # server threads keys value -> whether any row of this server is
  local p op
  for p in "${pipeline_list[@]}"; do
    for op in set get; do [[ "$1 threads=$2 keys=$3 value=$4 P=$p $op" =~ $rows ]] && return; done
  done
  return 1
}

round() { # threads keys value
  local server p op name
  for server in "${servers[@]}"; do
    wanted "$server" "$@" || continue
    start_server "$server" "$1"
    load "$server" set "$2" "$3" 64 $((2 * $2)) >/dev/null  # fills about 86 % of the keys
    for p in "${pipeline_list[@]}"; do
      for op in set get; do
        name="$server threads=$1 keys=$2 value=$3 P=$p $op"
        if [[ $name =~ $rows ]]; then measure "$server" "$op" "$2" "$3" "$p" "$tmp/row $name"; fi
      done
    done
    stop "$pid_server"
  done
}

row() { # server threads keys value P op
  local file="$tmp/row $1 threads=$2 keys=$3 value=$4 P=$5 $6" column
  [[ -f $file ]] || return
  printf '| %s | %s | %s | %s | %s | %s |' "$1" "$2" "$3" "$4" "$5" "$6"
  for column in 1 2 3 4 5; do printf ' %s |' "$(awk -v c=$column '{print $c}' "$file" | median)"; done
  echo
}

table() {
  echo "| server | threads | keys | value | P | op | operations/s | CPU us/op | p50 ms | p99 ms | p99.9 ms |"
  echo "|---|---|---|---|---|---|---|---|---|---|---|"
  local threads keys value p op server
  for threads in "${threads_list[@]}"; do
    for keys in "${keys_list[@]}"; do
      for value in "${value_list[@]}"; do
        for p in "${pipeline_list[@]}"; do
          for op in set get; do
            for server in "${servers[@]}"; do row "$server" "$threads" "$keys" "$value" "$p" "$op"; done
          done
        done
      done
    done
  done
}

for threads in "${threads_list[@]}"; do
  for keys in "${keys_list[@]}"; do
    for value in "${value_list[@]}"; do
      if ! fits "$keys" "$value"; then
        echo "keys=$keys value=$value is left out: not enough memory" >&2
        continue
      fi
      for _ in $(seq "$rounds"); do round "$threads" "$keys" "$value"; done
    done
  done
done
if [[ -n $output ]]; then table >"$output"; else table; fi
