# Shared by the scripts that measure: the machine, and the page with the results. Sourced, not run.
# shellcheck shell=bash

page=$root/docs/performance.md

# One line for a table: when and on what it was measured.
machine() {
  printf 'Measured on %s: %s, %s cores, Linux %s, %s' "$(date -u +%F)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
    "$(uname -r | cut -d- -f1)" "$(rustc --version | cut -d' ' -f1,2)"
}

# Puts file $2 between the markers of $1 in the page.
write_page() {
  local begin="<!-- $1: begin -->" end="<!-- $1: end -->" new
  { grep -qxF "$begin" "$page" && grep -qxF "$end" "$page"; } ||
    fail "$page has no place for the results." "It is between the lines $begin and $end."
  new=$(mktemp)
  awk -v begin="$begin" -v end="$end" -v results="$2" '
    $0 == end { inside = 0 }
    !inside { print }
    $0 == begin { inside = 1; while ((getline line < results) > 0) print line }
  ' "$page" >"$new"
  cat "$new" >"$page"
  rm "$new"
  say "Written to $page."
}
