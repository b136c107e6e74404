#!/usr/bin/env bash
# Memory and processor time of the release agent at a 2 s interval, in a network of its own.
# SECONDS_EACH (120) is how long each case is measured after its first 10 s.
#
# Processor time is user and system time of the whole process (proc(5), stat), ended threads
# included, divided by the reports that the collector stored meanwhile.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${SECONDS_EACH:-120}

main() {
  if [ "${1:-}" != inside ]; then
    find_cargo
    find_node
    (cd "$root" && cargo build --quiet --release --locked -p bwmon-bin --bins)
    exec unshare --user --map-root-user --net --mount "$root/scripts/measure-agent.sh" inside
  fi
  find_cargo
  find_node
  work=$(mktemp -d)
  trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
  make_network
  "$target_dir/release/bwmon-collector" serve --listen 127.0.0.1:8000 --data-dir "$work/collector" \
    >"$work/collector.log" 2>&1 &
  "$target_dir/release/bwmon-collector" enrol-token --data-dir "$work/collector" 2>/dev/null |
    "$target_dir/release/bwmon-agent" enrol --data-dir "$work/agent"
  printf '%-34s %10s %10s %16s %8s\n' "case" "RSS MiB" "peak MiB" "CPU ms/report" "flows"
  measure "host metrics only" --capture-method counters
  scrape_metrics &
  local scraper=$!
  measure "the same, metrics scraped each 2 s" --capture-method counters --metrics-listen 127.0.0.1:9463
  kill "$scraper"
  measure "sock_diag" --capture-method sock_diag
  send_flows 1000 &
  measure "af_packet, 1,000 flows per report" --capture-method af_packet --capture-interfaces bw0
}

make_network() {
  mount -t sysfs sysfs /sys
  ip link set lo up
  unshare --net sleep 3600 &
  local peer=$!
  sleep 0.5
  ip link add bw0 type veth peer name bw1 netns "$peer"
  ip address add 10.77.0.1/24 dev bw0
  ip link set bw0 up
  nsenter --net --target "$peer" sh -c 'ip address add 10.77.0.2/24 dev bw1; ip link set bw1 up'
}

scrape_metrics() {
  while sleep 2; do http_get 9463 /metrics >/dev/null || true; done
}

# One datagram a second from each of $1 sockets.
send_flows() {
  exec node -e '
    const { createSocket } = require("node:dgram");
    const sockets = Array.from({ length: Number(process.argv[1]) }, () => createSocket("udp4"));
    for (const socket of sockets) socket.on("error", () => {});
    setInterval(() => sockets.forEach((socket) => socket.send("x".repeat(100), 9, "10.77.0.2")), 1000);
  ' "$1"
}

measure() {
  local name=$1 agent before after reports_before reports
  shift
  "$target_dir/release/bwmon-agent" run --interval 2s --collector http://127.0.0.1:8000 \
    --data-dir "$work/agent" "$@" >"$work/agent.log" 2>&1 &
  agent=$!
  sleep 10
  before=$(ticks "$agent")
  reports_before=$(reports)
  sleep "$seconds"
  after=$(ticks "$agent")
  reports=$(($(reports) - reports_before))
  printf '%-34s %10s %10s %16s %8s\n' "$name" "$(status "$agent" VmRSS)" "$(status "$agent" VmHWM)" \
    "$(awk "BEGIN { printf \"%.2f\", ($after - $before) * 1000 / $(getconf CLK_TCK) / $reports }")" "$(flows)"
  kill "$agent"
  wait "$agent" || { tail "$work/agent.log" >&2; exit 1; }
}

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

status() { awk -v key="$2:" '$1 == key { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }

host() { http_get 8000 /api/v1/hosts | sed -n 's/.*"id":"\([0-9a-f]\{32\}\)".*/\1/p'; }

reports() { http_get 8000 "/api/v1/hosts/$(host)/traffic?limit=1" | sed -n 's/.*"reports":\([0-9]*\).*/\1/p'; }

# Flows told apart in the last minute.
flows() {
  http_get 8000 "/api/v1/hosts/$(host)/traffic?limit=10000" |
    node -e 'let text = ""; process.stdin.on("data", (part) => (text += part)).on("end", () => console.log(JSON.parse(text).flows.length))'
}

main "$@"
