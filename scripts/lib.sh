# Shared by the scripts: messages, prerequisites, installing what is missing. Sourced, not run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # used by those that source this
target_dir=${CARGO_TARGET_DIR:-$root/target}
node_least="20.19.0"

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
# Says what is wrong and what to do, and ends.
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Whether version $1 is at least $2 (dotted numbers).
is_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# Adds cargo's usual folder, which a shell that was open before the installation does not know.
find_cargo() {
  have cargo || [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH="$HOME/.cargo/bin:$PATH"
  have cargo || fail "Rust is needed, and there is no cargo in PATH." \
    "Install it from https://rustup.rs, or on Debian: apt install rustup && rustup default stable"
  local least found
  least=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
  found=$(cargo --version | cut -d' ' -f2)
  is_at_least "${found%%-*}" "$least" || fail "Rust $least or newer is needed; cargo is $found." \
    "Update it: rustup update stable && rustup default stable"
}

find_node() {
  if ! have node || ! have npm; then
    fail "Node.js $node_least or newer with npm is needed to build the page." \
      "Install it from https://nodejs.org, or with your package manager." \
      "Without it the Rust part still builds: make build-rust"
  fi
  local found
  found=$(node --version)
  is_at_least "${found#v}" "$node_least" ||
    fail "Node.js $node_least or newer is needed to build the page; node is $found." \
      "Install a newer one from https://nodejs.org." \
      "Without it the Rust part still builds: make build-rust"
}

# Installs Debian packages where that needs no question; otherwise prints the one line to run.
# Arguments: packages. Call it with those that are missing.
install_packages() {
  [ $# -gt 0 ] || return 0
  have apt-get || fail "These are missing: $*" "Install them with your package manager (names are Debian's)."
  local run=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! have sudo || ! sudo -n true 2>/dev/null; then
      fail "Debian packages are missing. Run this once:" "sudo apt-get install -y $*"
    fi
    run=(sudo -n)
  fi
  say "Installing Debian packages: $*"
  local log
  log=$(mktemp)
  if ! { "${run[@]}" apt-get update -q &&
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail "apt could not install: $*"
  fi
  rm -f "$log"
}

# A C compiler builds the bundled SQLite and zstd.
missing_for_build() { have cc || printf 'gcc libc6-dev\n'; }

# npm packages, when there are none or the lock file changed since.
install_page_packages() {
  local stamp=$root/frontend/node_modules/.bwmon-lock current
  current=$(cksum <"$root/frontend/package-lock.json")
  if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$current" ]; then
    say "Installing the page's npm packages"
    (cd "$root/frontend" && npm ci --no-audit --no-fund --loglevel=error </dev/null)
    mkdir -p "${stamp%/*}"
    printf '%s\n' "$current" >"$stamp"
  fi
}

# Whether a TCP connection to 127.0.0.1:$1 is taken.
is_port_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Body of http://127.0.0.1:$1$2; fails unless it is answered with 200.
http_get() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
    printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$2" "$1" >&3
    IFS= read -r status <&3 && [[ $status == *" 200 "* ]] || exit 1
    sed '1,/^\r$/d' <&3
  ) 2>/dev/null
}

# Runs a command that is told to end when this script is gone, however that happened.
bound() {
  if have setpriv && setpriv --pdeathsig TERM true 2>/dev/null; then
    exec setpriv --pdeathsig TERM "$@"
  fi
  exec "$@"
}

# Asks process $1 to end, waits up to $2 seconds, then ends it the hard way.
stop() {
  local pid=$1 tenths=$(($2 * 10))
  [ -n "$pid" ] || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$tenths" -eq 0 ]; then
      warn "process $pid did not end in $2 s and was killed"
      kill -KILL "$pid" 2>/dev/null || true
      return 0
    fi
    tenths=$((tenths - 1))
    sleep 0.1
  done
}
