#!/usr/bin/env bash
# Every Rust test of the workspace, documentation included, with all features and without Node.
# Arguments go to `cargo test`: scripts/test-rust.sh -p bwmon-core flow
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

PATH="$root/scripts/no-node:$PATH"
[ $# -gt 0 ] || set -- --workspace
exec cargo test --locked --all-features --no-fail-fast "$@"
