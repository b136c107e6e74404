#!/usr/bin/env bash
# Fuzzes the targets, two at a time: all of them, or those named as arguments. Needs the stable compiler and
# a C++ compiler (for libFuzzer, which comes as source with a crate); cargo-fuzz is not needed.
#   FUZZ_SECONDS=60         how long each target runs
#   FUZZ_JOBS=2             how many run at a time
#   FUZZ_SANITIZER=address  with AddressSanitizer (slower; finds wrong memory accesses of unsafe code)
#   BWMON_PCAPS=FOLDER      its captures are read, and not changed, as further seeds of the file readers
# What a target finds is kept in fuzz/artifacts/TARGET and told; the exit code is then 1.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${FUZZ_SECONDS:-60}
jobs=${FUZZ_JOBS:-2}
sanitizer=${FUZZ_SANITIZER:-none}
logs=$target_dir/fuzz-logs
scratch=

main() {
  find_cargo
  have c++ || fail "fuzzing needs a C++ compiler. On Debian: apt install g++"
  local known targets=("$@") target
  mapfile -t known < <(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' "$root/fuzz/Cargo.toml")
  [ $# -gt 0 ] || targets=("${known[@]}")
  for target in "${targets[@]}"; do
    [[ " ${known[*]} " == *" $target "* ]] || fail "there is no fuzz target $target; there are: ${known[*]}"
  done
  build
  mkdir -p "$logs"
  scratch=$(mktemp -d)
  trap clean_up EXIT
  link_captures
  say "Fuzzing ${#targets[@]} targets for $seconds s each, $jobs at a time (sanitizer: $sanitizer)"
  run_all "${targets[@]}"
  report "${targets[@]}"
}

# Coverage is instrumented as cargo-fuzz does it. Sanitizers are not stable yet: the compiler is told to take
# their flag nevertheless, for this build alone, whose files lie apart.
build() {
  local flags=(
    --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-sanitizer-coverage-stack-depth
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
  ) host
  case $sanitizer in
    none) ;;
    address)
      flags+=(-Zsanitizer=address)
      export RUSTC_BOOTSTRAP=1
      ;;
    *) fail "FUZZ_SANITIZER is $sanitizer; none and address are known" ;;
  esac
  host=$(rustc -vV | sed -n 's/^host: //p')
  # With --target the flags do not go to build scripts and procedural macros.
  RUSTFLAGS="${flags[*]}" cargo build --quiet --locked --release --target "$host" --bins \
    --manifest-path "$root/fuzz/Cargo.toml" --target-dir "$target_dir/fuzz-$sanitizer"
  binaries=$target_dir/fuzz-$sanitizer/$host/release
}

clean_up() {
  local running
  running=$(jobs -p)
  # shellcheck disable=SC2086 # a list of numbers
  [ -z "$running" ] || kill $running 2>/dev/null || true
  rm -rf "$scratch"
}

# Captures of the project and those that BWMON_PCAPS names, apart from what else lies in their folders.
link_captures() {
  local format folders=("$root/bwmon-core/tests/data")
  [ -z "${BWMON_PCAPS:-}" ] || folders+=("$(cd "$BWMON_PCAPS" && pwd)")
  for format in pcap pcapng; do
    mkdir "$scratch/$format"
    find -L "${folders[@]}" -maxdepth 1 -name "*.$format" -size -64k \
      -exec ln -s -t "$scratch/$format" {} +
  done
}

run_all() {
  local target
  for target in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
    run_one "$target" &
  done
  wait
}

# One target; the exit code goes to a file, because several run.
run_one() {
  local target=$1 code=0 corpus=$root/fuzz/corpus/$1 options=()
  # What the fuzzer finds interesting goes to new/, which git ignores; the named seeds stay as they are.
  mkdir -p "$corpus/new" "$root/fuzz/artifacts/$target"
  case $target in
    pcap | pcapng) options=(-max_len=65536 "-dict=$root/fuzz/dictionaries/capture.dict") ;;
    packet) options=(-max_len=1024 "-dict=$root/fuzz/dictionaries/packet.dict") ;;
    flow_table | wire) options=(-max_len=4096) ;;
    report_json) options=(-max_len=4096 "-dict=$root/fuzz/dictionaries/report_json.dict") ;;
    *) options=(-max_len=1024) ;;
  esac
  # The files that capture_written makes for itself take more than any reader may.
  [ "$sanitizer" = none ] || [ "$target" = capture_written ] || options+=(-malloc_limit_mb=16)
  local folders=("$corpus/new" "$corpus")
  [ ! -d "$scratch/$target" ] || folders+=("$scratch/$target")
  "$binaries/$target" "${options[@]}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
    -print_final_stats=1 -artifact_prefix="$root/fuzz/artifacts/$target/" "${folders[@]}" \
    >"$logs/$target.log" 2>&1 </dev/null || code=$?
  echo "$code" >"$scratch/$target.code"
}

# A line per target, and for each that failed what it said and what to do.
report() {
  local target failed=()
  for target in "$@"; do
    local log=$logs/$target.log code runs coverage
    code=$(cat "$scratch/$target.code" 2>/dev/null || echo 1)
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    printf '  %-16s %12s runs, %6s edges, exit code %s\n' "$target" "${runs:-?}" "${coverage:-?}" "$code"
    [ "$code" -eq 0 ] || failed+=("$target")
  done
  for target in "${failed[@]}"; do
    printf '\nFOUND by %s (all of it: %s):\n' "$target" "$logs/$target.log" >&2
    grep -a -m 1 -A 12 -E 'panicked at|ERROR:|SUMMARY:' "$logs/$target.log" >&2 || tail -n 20 "$logs/$target.log" >&2
    local artifact
    artifact=$(sed -n 's/.*Test unit written to //p' "$logs/$target.log" | tail -n 1)
    if [ -n "$artifact" ]; then
      printf 'Kept: %s\n' "$artifact" >&2
      printf 'Again: %s %s\n' "$binaries/$target" "$artifact" >&2
      printf 'Once mended: keep it as fuzz/corpus/%s/WHAT-IT-IS, which the tests replay.\n' "$target" >&2
    fi
  done
  [ ${#failed[@]} -eq 0 ] || exit 1
}

main "$@"
