#!/usr/bin/env bash
# Builds the page and the binaries, and runs a collector and one agent until Ctrl-C. See `make help`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

port=${BWMON_PORT:-8000}
data=${BWMON_DATA:-$root/data}
collector=
agent=

main() {
  check_port
  make_data_folder
  find_cargo
  find_node
  # shellcheck disable=SC2046 # a list of packages
  install_packages $(missing_for_build)
  install_page_packages
  build
  check_port
  start
  watch
}

check_port() {
  if ! [[ $port =~ ^[0-9]{1,5}$ ]] || [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
    fail "BWMON_PORT must be a port number from 1 to 65535, and is '$port'."
  fi
  ! is_port_busy "$port" || fail "port $port on 127.0.0.1 is in use. Take another one:" \
    "BWMON_PORT=$((port < 65535 ? port + 1 : 8001)) make run"
}

make_data_folder() {
  local folder
  for folder in "$data/collector" "$data/agent"; do
    if ! mkdir -p "$folder" 2>/dev/null || [ ! -w "$folder" ]; then
      fail "the data folder $folder cannot be written. Choose another one: BWMON_DATA=/path make run"
    fi
  done
  data=$(cd "$data" && pwd)
}

build() {
  "$root/scripts/build-page.sh"
  say "Building bwmon-collector and bwmon-agent (the first time this takes some minutes)"
  (cd "$root" && cargo build --release --locked -p bwmon-bin --bins)
}

start() {
  trap 'end 0' INT TERM HUP
  trap 'stop_both' EXIT
  # Each in a process group of its own: Ctrl-C reaches this script only, which then stops the agent
  # first, so that its last interval still arrives.
  set -m
  (bound "$target_dir/release/bwmon-collector" serve --listen "127.0.0.1:$port" \
    --data-dir "$data/collector") >"$data/collector.log" 2>&1 </dev/null &
  collector=$!
  wait_for_health
  enrol
  (bound "$target_dir/release/bwmon-agent" run --collector "http://127.0.0.1:$port" \
    --data-dir "$data/agent") >>"$data/agent.log" 2>&1 </dev/null &
  agent=$!
  set +m
  say ""
  say "bwmon is running: http://127.0.0.1:$port"
  tell_capture
  say "Data and logs: $data   Stop: Ctrl-C"
}

wait_for_health() {
  for _ in $(seq 1 150); do
    kill -0 "$collector" 2>/dev/null || died "bwmon-collector" collector
    if http_get "$port" /api/v1/health >/dev/null; then return 0; fi
    sleep 0.1
  done
  died "bwmon-collector did not answer within 15 s and" collector
}

# Gives the agent an identity, unless it has one that this collector knows. The token goes through a
# pipe: arguments can be read by everybody.
enrol() {
  : >"$data/agent.log"
  if grep -q 'the collector knows this agent' < <("$target_dir/release/bwmon-agent" doctor \
    --collector "http://127.0.0.1:$port" --data-dir "$data/agent" 2>/dev/null); then
    return 0
  fi
  "$target_dir/release/bwmon-collector" enrol-token --address "127.0.0.1:$port" --for 5m \
    --data-dir "$data/collector" 2>>"$data/agent.log" |
    "$target_dir/release/bwmon-agent" enrol --replace --data-dir "$data/agent" >>"$data/agent.log" 2>&1 ||
    { tail -n 20 "$data/agent.log" >&2; fail "the agent could not be enrolled."; }
}

# Says what the agent captures, once the collector has its first report.
tell_capture() {
  local told
  for _ in $(seq 1 100); do
    kill -0 "$agent" 2>/dev/null || died "bwmon-agent" agent
    if told=$(http_get "$port" /api/v1/hosts | node "$root/scripts/tell-capture.mjs"); then
      say "$told"
      return 0
    fi
    sleep 0.2
  done
  warn "no report has arrived within 20 s; see $data/agent.log, or run: $target_dir/release/bwmon-agent doctor --data-dir $data/agent"
}

# Returns never: ends with a signal, when one of both ends, or when the terminal is gone, which the
# kernel tells only to the first process on it.
watch() {
  local has_terminal=false idle
  [ ! -t 0 ] || has_terminal=true
  exec {idle}<> <(:)
  while kill -0 "$collector" 2>/dev/null && kill -0 "$agent" 2>/dev/null; do
    read -r -t 1 -u "$idle" || true
    if $has_terminal && [ ! -t 0 ]; then end 0; fi
  done
  if kill -0 "$collector" 2>/dev/null; then died "bwmon-agent" agent; fi
  died "bwmon-collector" collector
}

died() {
  warn "$1 ended by itself. Its last words ($data/$2.log):"
  tail -n 20 "$data/$2.log" >&2 || true
  end 1
}

end() {
  trap '' INT TERM HUP
  exit "$1"
}

stop_both() {
  set +e # a message that cannot be written must not keep the rest from being stopped
  [ -z "$collector$agent" ] || printf '\nStopping\n' 2>/dev/null
  stop "$agent" 5
  stop "$collector" 10
}

main
