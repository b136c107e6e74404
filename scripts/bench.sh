#!/usr/bin/env bash
# Runs the benchmarks of the packet path's parts and prints a table of them:
#   bench.sh          measures and prints (about seven minutes, on a quiet machine)
#   bench.sh --write  also puts the table into docs/performance.md
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/bench-lib.sh
. "$(dirname "$0")/bench-lib.sh"

traces=(mixed worst hostile)

main() {
  [ $# -eq 0 ] || [ "$*" = --write ] || fail "There is no option $*." "The option is --write."
  find_cargo
  cd "$root"
  results=$(mktemp)
  trap 'rm -f "$results" "$results.md"' EXIT
  # Only what this run measures counts, not what is left of an earlier one.
  rm -rf "$target_dir/criterion"
  cargo bench --locked -p bwmon-benches
  collect >"$results"
  report | tee "$results.md"
  [ $# -eq 0 ] || write_page bench "$results.md"
}

# Prints benchmark, trace and nanoseconds per element, a line each.
collect() {
  local file
  find "$target_dir/criterion" -path '*/new/benchmark.json' | sort | while read -r file; do
    printf '%s %s %s\n' "$(string full_id "$file" | sed 's,\(.*\)/,\1 ,')" \
      "$(grep -o '"Elements":[0-9]*' "$file" | cut -d: -f2)" \
      "$(grep -o '"median":{.*' "${file%benchmark.json}estimates.json" |
        grep -o '"point_estimate":[0-9.e+]*' | head -n 1 | cut -d: -f2)"
  done | awk '{ print $1, $2, $4 / $3 }'
}

string() { grep -o "\"$1\":\"[^\"]*\"" "$2" | cut -d'"' -f4; }

report() {
  local name trace
  printf '%s.\n' "$(machine)"
  printf 'Medians of processor time in nanoseconds per frame; in rotation, views and wire, per flow.\n\n'
  printf '| benchmark | %s | %s | %s |\n|---|---:|---:|---:|\n' "${traces[@]}"
  cut -d' ' -f1 "$results" | uniq | while read -r name; do
    # shellcheck disable=SC2016 # the quotes are Markdown's
    printf '| `%s` |' "$name"
    for trace in "${traces[@]}"; do
      printf ' %s |' "$(awk -v name="$name" -v trace="$trace" '
        $1 == name && $2 == trace { found = 1; printf(($3 < 0.05 ? "< 0.1" : "%.1f"), $3) }
        END { if (!found) printf "-" }' "$results")"
    done
    printf '\n'
  done
}

main "$@"
