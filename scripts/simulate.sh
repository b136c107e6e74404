#!/usr/bin/env bash
# Plays many agents against the collector, with its real store, in one process; kills the collector and
# starts it again:
#   simulate.sh          10,000 agents for 5 minutes, and prints the table (7 minutes, on a quiet machine)
#   simulate.sh --write  also puts it into docs/performance.md
#   simulate.sh --check  300 agents for 10 s, and looks only at what was counted (part of `make test`)
#
# AGENTS (10000), INTERVAL_MS (10000), FLOWS (50) per report, SECONDS_EACH (300) and PORT (18429) change
# that. BWMON_BENCH_DIR is where the database is: choose a disk, not memory.
#
# Each agent has a credential and a connection of its own, begins at a moment of its own, sends the compact
# encoding, and comes back after a lost connection as the agent's driver does. It ends with an error where
# a goal is missed: nothing is refused, p99 of the time to the acknowledgement is at most 1 s, the
# collector takes at most 512 MiB, all agents are fresh 60 s after the kill, no tenth of a second has more
# than 3 times the mean of the connections meanwhile, and the store has each report once.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/bench-lib.sh
. "$(dirname "$0")/bench-lib.sh"

main() {
  local goals=timed profile=release
  case ${1:-} in
    "" | --write) ;;
    --check)
      goals=counted profile=debug
      : "${AGENTS:=300}" "${INTERVAL_MS:=1000}" "${SECONDS_EACH:=10}"
      ;;
    *) fail "There is no option $1." "The options are --write and --check." ;;
  esac
  find_cargo
  build "$profile"
  work=$(mktemp -d -p "${BWMON_BENCH_DIR:-$target_dir}")
  trap 'rm -rf "$work"' EXIT
  (bound "$target_dir/$profile/simulate_agents" "$target_dir/$profile/bwmon-collector" "$work/data" \
    "${PORT:-18429}" "${AGENTS:-10000}" "${INTERVAL_MS:-10000}" "${FLOWS:-50}" "${SECONDS_EACH:-300}" \
    "$goals") | tee "$work/table"
  [ "${1:-}" != --write ] || write
}

# The same features as other tests have, so that nothing is built twice.
build() {
  local options=(--quiet --locked)
  [ "$1" = release ] && options+=(--release) || options+=(--all-features)
  (cd "$root" && cargo build "${options[@]}" -p bwmon-bin --bin bwmon-collector)
  (cd "$root" && cargo build "${options[@]}" -p bwmon-benches --features simulate --bin simulate_agents)
}

write() {
  { printf '%s.\n\n' "$(machine)" && cat "$work/table"; } >"$work/report.md"
  write_page simulate "$work/report.md"
}

main "$@"
