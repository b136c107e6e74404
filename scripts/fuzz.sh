#!/usr/bin/env bash
# Fuzzes each target for FUZZ_SECONDS seconds (60). By hand, not part of `make test`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

find_cargo
cargo +nightly --version >/dev/null 2>&1 ||
  fail "fuzzing needs a nightly compiler. Run: rustup toolchain install nightly"
have cargo-fuzz || fail "fuzzing needs cargo-fuzz. Run: cargo install --locked cargo-fuzz"

cd "$root/fuzz"
for target in packet report_json; do
  # What the fuzzer finds interesting goes to new/, which git ignores; the named seeds stay as they are.
  mkdir -p "corpus/$target/new"
  cargo +nightly fuzz run "$target" "corpus/$target/new" "corpus/$target" -- \
    -max_total_time="${FUZZ_SECONDS:-60}" -max_len=4096
done
