#!/usr/bin/env bash
# Browser tests against the real collector and agent, in a network of their own: two network
# namespaces joined by a veth pair, known traffic between them, nothing else on the wire.
# Needs no privilege, only that the kernel lets a user make a user namespace.
#
# The tests get: BWMON_E2E_URL (the collector), BWMON_E2E_PEER and BWMON_E2E_PEER6 (the addresses
# that traffic goes to, TCP and UDP port 7777), BWMON_E2E_INTERFACE (where the agent captures).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

work=
pids=()

main() {
  find_cargo
  find_node
  if [ "${1:-}" != inside ]; then
    outside
  else
    trap 'exit 130' INT TERM HUP
    trap clean_up EXIT
    work=$2
    inside
  fi
}

outside() {
  "$root/scripts/build-page.sh"
  (cd "$root" && cargo build --quiet --locked --workspace --all-features --bins)
  if ! unshare --user --map-root-user --net --mount true 2>/dev/null; then
    if [ "${BWMON_SKIP_NAMESPACE_TESTS:-}" = 1 ]; then
      warn "LEFT OUT: the browser tests, because BWMON_SKIP_NAMESPACE_TESTS=1 and namespaces are refused here."
      exit 0
    fi
    fail "this kernel or container refuses user namespaces: $(unshare --user --map-root-user --net --mount true 2>&1)" \
      "Allow them (sysctl kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0)," \
      "or leave these tests out: BWMON_SKIP_NAMESPACE_TESTS=1 make e2e"
  fi
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  unshare --user --map-root-user --net --mount "$root/scripts/e2e.sh" inside "$work"
}

inside() {
  make_network
  bound node "$root/scripts/e2e-traffic.mjs" send 10.77.0.2 fd77::2 7777 >"$work/send.log" 2>&1 &
  pids+=($!)
  bound "$target_dir/debug/bwmon-collector" serve --listen 127.0.0.1:8000 \
    --data-dir "$work/collector" >"$work/collector.log" 2>&1 &
  pids+=($!)
  wait_for 15 "bwmon-collector" http_get 8000 /api/v1/health
  "$target_dir/debug/bwmon-collector" enrol-token --data-dir "$work/collector" 2>"$work/enrol.log" |
    "$target_dir/debug/bwmon-agent" enrol --data-dir "$work/agent" >>"$work/enrol.log" 2>&1
  bound "$target_dir/debug/bwmon-agent" run --collector http://127.0.0.1:8000 \
    --data-dir "$work/agent" >"$work/agent.log" 2>&1 &
  pids+=($!)
  wait_for 30 "bwmon-agent" peer_is_reported
  export BWMON_E2E_URL=http://127.0.0.1:8000 BWMON_E2E_INTERFACE=bw0
  export BWMON_E2E_PEER=10.77.0.2 BWMON_E2E_PEER6=fd77::2
  (cd "$root/frontend" && npm run --silent e2e </dev/null) || {
    show_logs
    fail "the browser tests failed."
  }
}

# This namespace is the host: bw0 carries its default route. The peer is in a second namespace.
make_network() {
  mount -t sysfs sysfs /sys
  ip link set lo up
  bound unshare --net node "$root/scripts/e2e-traffic.mjs" serve 7777 >"$work/serve.log" 2>&1 &
  pids+=($!)
  local peer=$!
  wait_for 5 "the peer's namespace" is_apart "$peer"
  ip link add bw0 type veth peer name bw1 netns "$peer"
  ip address add 10.77.0.1/24 dev bw0
  ip address add fd77::1/64 dev bw0 nodad
  ip link set bw0 up
  nsenter --net --target "$peer" sh -c '
    ip link set lo up
    ip address add 10.77.0.2/24 dev bw1
    ip address add fd77::2/64 dev bw1 nodad
    ip link set bw1 up'
  ip route add default via 10.77.0.2
}

is_apart() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

peer_is_reported() {
  local id
  id=$(http_get 8000 /api/v1/hosts | sed -n 's/.*"id":"\([0-9a-f]\{32\}\)".*/\1/p') && [ -n "$id" ] &&
    http_get 8000 "/api/v1/hosts/$id" | grep -q '10\.77\.0\.2'
}

# Waits up to $1 seconds until the command after the name $2 succeeds.
wait_for() {
  local tenths=$(($1 * 10)) name=$2
  shift 2
  while ! "$@" >/dev/null 2>&1; do
    tenths=$((tenths - 1))
    if [ "$tenths" -le 0 ]; then
      show_logs
      fail "$name did not get ready in time."
    fi
    sleep 0.1
  done
}

show_logs() {
  for log in "$work"/*.log; do
    printf -- '---- %s\n' "${log##*/}" >&2
    tail -n 20 "$log" >&2
  done
}

clean_up() {
  local pid at
  for ((at = ${#pids[@]} - 1; at >= 0; at--)); do
    pid=${pids[at]}
    stop "$pid" 5
  done
}

main "$@"
