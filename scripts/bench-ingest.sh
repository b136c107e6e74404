#!/usr/bin/env bash
# How many reports a second the collector acknowledges, beside VictoriaMetrics and a bare log that is
# synced to the disk, at several numbers of connections:
#   bench-ingest.sh          measures and prints the table (some 10 minutes, on a quiet machine)
#   bench-ingest.sh --write  also puts it into docs/performance.md
#
# ROUNDS (3) measurements of each, in turns; SECONDS_EACH (8); CONNECTIONS ("1 8 64 512"); CORE (0), which
# server and sender share. BWMON_BENCH_DIR is where the databases are: choose a disk, not memory.
#
# Each request is one report of 12 samples of one of 512 hosts, and the next is sent when it was
# acknowledged. bwmon and the bare log acknowledge after a commit with synchronous FULL; VictoriaMetrics
# before it syncs. Processor time is what the server's threads ran, by the scheduler.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/bench-lib.sh
. "$(dirname "$0")/bench-lib.sh"

rounds=${ROUNDS:-3}
seconds=${SECONDS_EACH:-8}
read -ra connections <<<"${CONNECTIONS:-1 8 64 512}"
core=${CORE:-0}
port=18428
servers=(bwmon log victoria)
server=

main() {
  case ${1:-} in
    "" | --write) ;;
    *) fail "There is no option $1." "The option is --write." ;;
  esac
  prepare
  work=$(mktemp -d -p "${BWMON_BENCH_DIR:-$target_dir}")
  trap clean_up EXIT
  : >"$work/results"
  local round name count
  for ((round = 1; round <= rounds; round++)); do
    for count in "${connections[@]}"; do
      for name in "${servers[@]}"; do
        printf 'round %d of %d: %-8s %d connections\n' "$round" "$rounds" "$name" "$count" >&2
        measure "$name" "$count" >>"$work/results"
      done
    done
  done
  report | tee "$work/report.md"
  [ -z "${1:-}" ] || write_page bench-ingest "$work/report.md"
}

prepare() {
  find_cargo
  local missing=()
  have victoria-metrics || missing+=(victoria-metrics)
  have taskset || missing+=(util-linux)
  install_packages "${missing[@]}"
  (cd "$root" && cargo build --quiet --release --locked -p bwmon-bin --bins)
  (cd "$root" && cargo build --quiet --release --locked -p bwmon-benches --features ingest --bins)
}

clean_up() {
  stop "$server" 5
  rm -rf "$work"
}

# One measurement: server, connections, reports, seconds, median and 99th percentile in us, CPU in us
# by report.
measure() {
  local name=$1 count=$2 sent
  rm -rf "$work/data"
  mkdir "$work/data"
  start "$name"
  sent=$(token "$name" | taskset -c "$core" "$target_dir/release/ingest_load" "$name" "127.0.0.1:$port" \
    "$count" "$seconds" "$server")
  stop "$server" 10
  server=
  awk -v name="$name" -v count="$count" '{ print name, count, $1, $2, $3, $4, $5 / 1e3 / $1 }' <<<"$sent"
}

# Becomes nothing: starts the server and waits until it listens.
start() {
  case $1 in
    bwmon) set -- "$target_dir/release/bwmon-collector" serve --listen "127.0.0.1:$port" --data-dir "$work/data" ;;
    log) set -- "$target_dir/release/ingest_log" "$work/data/log.db" "127.0.0.1:$port" ;;
    victoria)
      set -- victoria-metrics -storageDataPath "$work/data" -httpListenAddr "127.0.0.1:$port" -retentionPeriod 12
      ;;
  esac
  (bound taskset -c "$core" "$@") >"$work/server.log" 2>&1 </dev/null &
  server=$!
  local tenths=100
  until is_port_busy "$port"; do
    kill -0 "$server" 2>/dev/null && [ "$tenths" -gt 0 ] || fail "$1 did not start:" "$(tail -n 5 "$work/server.log")"
    tenths=$((tenths - 1))
    sleep 0.1
  done
}

# A token for all hosts where the server wants one.
token() {
  [ "$1" != bwmon ] || "$target_dir/release/bwmon-collector" enrol-token --uses 1000 \
    --listen "127.0.0.1:$port" --data-dir "$work/data" 2>/dev/null
}

report() {
  printf '%s.\nMedians of %d interleaved runs of %d s; reports of 12 samples, one per request; server and sender share a core.\n\n' \
    "$(machine)" "$rounds" "$seconds"
  printf '| connections | server | reports/s | of the bare log | p50 ms | p99 ms | CPU us/report |\n'
  printf '|---:|---|---:|---:|---:|---:|---:|\n'
  local count name
  for count in "${connections[@]}"; do
    for name in "${servers[@]}"; do
      printf '| %d | %s | %.0f | %.2fx | %.1f | %.1f | %.0f |\n' "$count" "$(title "$name")" \
        "$(median "$name" "$count" '$3 / $4')" \
        "$(awk -v a="$(median "$name" "$count" '$3 / $4')" -v b="$(median log "$count" '$3 / $4')" 'BEGIN { print a / b }')" \
        "$(median "$name" "$count" '$5 / 1000')" "$(median "$name" "$count" '$6 / 1000')" \
        "$(median "$name" "$count" '$7')"
    done
  done
}

title() {
  case $1 in
    bwmon) printf '**bwmon-collector**' ;;
    log) printf 'bare log, FULL' ;;
    victoria) printf 'VictoriaMetrics %s' "$(dpkg-query -W -f '${Version}' victoria-metrics 2>/dev/null || echo '?')" ;;
  esac
}

# Median of an awk expression over the results of a server and a number of connections.
median() {
  awk -v name="$1" -v count="$2" "\$1 == name && \$2 == count { print $3 }" "$work/results" | sort -g |
    awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'
}

main "$@"
