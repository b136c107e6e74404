#!/usr/bin/env bash
# Installs what the tests need and runs all of them, quick failures first. See `make help`.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

main() {
  "$root/scripts/test-setup.sh"
  choose_captures
  step "formatting" fmt-check
  step "the page: generated types, lint, types, unit tests" page-check
  step "clippy: default, no and all features" clippy
  step "dependencies: licences, bans, sources" deny
  step "documentation without warnings" doc
  step "Rust tests: unit, property, integration, doc" test-rust
  step "examples run" examples
  step "benchmarks run once" bench-check
  step "fuzz targets: lints" fuzz-check
  step "fuzz targets: 20 s each" fuzz-short
  step "the page: build and size budget" page-build
  step "browser tests of rare states of the page" page-states
  step "browser tests against the real collector and agent" e2e
  say ""
  say "All tests passed in $(minutes $SECONDS)."
}

step() {
  local title=$1 goal=$2 before=$SECONDS
  printf '\n==> %s (make %s)\n' "$title" "$goal"
  "${MAKE:-make}" --no-print-directory -C "$root" "$goal" || {
    printf '\nFAILED: %s, after %s. Run it alone: make %s\n' "$title" "$(minutes $((SECONDS - before)))" "$goal" >&2
    exit 1
  }
  printf '<== %s: %s\n' "$title" "$(minutes $((SECONDS - before)))"
}

minutes() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }

# The captures with known answers lie beside the repository where the project is developed.
choose_captures() {
  if [ -z "${BWMON_PCAPS:-}" ] && [ -d "$root/../shared/pcaps" ]; then
    BWMON_PCAPS=$(cd "$root/../shared/pcaps" && pwd)
  fi
  if [ -n "${BWMON_PCAPS:-}" ]; then
    [ -d "$BWMON_PCAPS" ] || fail "BWMON_PCAPS is $BWMON_PCAPS, which is no folder."
    export BWMON_PCAPS
  else
    export BWMON_SKIP_PCAP_TESTS=1
    say ""
    say "################################################################################"
    say "# LEFT OUT: tests that compare with captures of known content, because"
    say "# BWMON_PCAPS is not set. Everything else runs."
    say "################################################################################"
  fi
}

main
