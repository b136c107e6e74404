#!/usr/bin/env bash
# Every Rust test of the workspace, documentation included, with all features and without Node, and a short
# simulation of many agents. Arguments go to `cargo test`, and leave the simulation out:
# scripts/test-rust.sh -p bwmon-core flow
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

PATH="$root/scripts/no-node:$PATH"
if [ $# -gt 0 ]; then
  exec cargo test --locked --all-features --no-fail-fast "$@"
fi
cargo test --locked --all-features --no-fail-fast --workspace
exec scripts/simulate.sh --check
