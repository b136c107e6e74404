#!/usr/bin/env bash
# Every failure between an agent and its collector, all of it: an hour or so. Arguments choose tests:
# scripts/soak.sh kills. BWMON_SOAK_KILLS, _OUTAGE_S, _HOURS, _HOLE_S, _FULL_S and _SEED change how much.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
find_cargo
cd "$root"

log=$root/target/soak.log
mkdir -p "$root/target"
: >"$log"
export BWMON_SOAK=full BWMON_SOAK_LOG=$log
status=0
cargo test --release --locked -p bwmon-bin --test faults -- --test-threads 1 "$@" || status=$?
echo "What was done:"
cat "$log"
exit "$status"
