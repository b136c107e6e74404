#!/usr/bin/env bash
# Clippy with warnings denied: all features, the defaults, none, and each feature of the libraries alone.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

# The Rust part never needs Node: these stand in its way.
PATH="$root/scripts/no-node:$PATH"

lint() {
  printf 'clippy %s\n' "$*"
  cargo clippy --quiet --locked "$@" -- -D warnings
}

features_of() {
  sed -n '/^\[features\]/,/^\[dep/s/^\([a-z_]\+\) = .*/\1/p' "$1/Cargo.toml" | grep -v '^default$'
}

lint --workspace --all-targets --all-features
lint --workspace --all-targets
for package in bwmon-core bwmon-sinks; do
  lint -p "$package" --no-default-features
  for feature in $(features_of "$package"); do
    lint -p "$package" --no-default-features --features "$feature"
  done
done
