#!/usr/bin/env bash
# Runs the examples. They are built with everything else, so that nothing is compiled twice.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

cargo build --quiet --locked --workspace --all-features --examples

# Runs the example $1 with the arguments behind it.
run() {
  local example=$1
  shift
  printf '\n%s\n' "$example"
  timeout 60 "$target_dir/debug/examples/$example" "$@" </dev/null ||
    fail "the example $example ended with exit code $?."
}

run custom_sink
run embed_in_service
run replay_pcap bwmon-core/tests/data/228-ipv4.pcap
