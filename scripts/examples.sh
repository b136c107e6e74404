#!/usr/bin/env bash
# Runs the examples. They are built with everything else, so that nothing is compiled twice.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

cargo build --quiet --locked --workspace --all-features --examples
for example in custom_sink embed_in_service; do
  printf '\n%s\n' "$example"
  timeout 60 "$target_dir/debug/examples/$example" </dev/null ||
    fail "the example $example ended with exit code $?."
done
