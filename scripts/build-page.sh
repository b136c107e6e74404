#!/usr/bin/env bash
# Builds the page into frontend/dist, unless what is there is newer than its sources.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

find_node
install_page_packages
cd "$root/frontend"
built=dist/index.html
if [ ! -f "$built" ] || [ -n "$(find . -path ./node_modules -prune -o -path ./dist -prune -o \
  -type f -newer "$built" -print -quit)" ]; then
  say "Building the page"
  npm run --silent build -- --logLevel warn </dev/null
  # The files of a page that was not there at the last build are not known to cargo as inputs.
  grep -rlE 'rust_embed|RustEmbed' "$root/bwmon-bin/src" | xargs -r touch
fi
