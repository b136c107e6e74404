#!/usr/bin/env bash
# Live capture against its peers: what each receiver's own processor time per packet is, and what it
# loses, with the sender, the kernel's receiving side and the receiver on one core. Prints a Markdown
# table of medians. Some 5 minutes on a quiet machine; the first run installs RustNet (some more).
# With --write the table also goes into docs/performance.md.
#
# ROUNDS (3) measurements of each, in turns; CORE (the last one) is where everything runs. The sender's
# rate is that of a burst a millisecond.
#
# Two network namespaces are joined by a virtual cable. At one end a paced sender writes 60-byte
# frames of 1,000 flows, at the other a receiver captures them. Processor time is the run time of all
# the receiver's threads in the scheduler's nanoseconds (/proc/PID/task/*/schedstat), from just before
# the sender starts until half a second after it ended: no start, no end, but everything in between,
# waking up included. What was sent is what the kernel counted at the receiver's end. Nothing else in
# the namespaces sends.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/bench-lib.sh
. "$(dirname "$0")/bench-lib.sh"

rounds=${ROUNDS:-3}
core=${CORE:-$(($(nproc) - 1))}
rustnet_version=1.7.0
tools=${XDG_CACHE_HOME:-$HOME/.cache}/bwmon-bench
rustnet=$tools/bin/rustnet
agent=$target_dir/release/bwmon-agent
receiver=$target_dir/release/live_receiver
sender=$target_dir/release/live_sender
flows=1000

main() {
  case ${1:-} in
    inside) measure_inside ;;
    "" | --write)
      prepare
      results=$(mktemp)
      trap 'rm -f "$results"' EXIT
      unshare --user --map-root-user --net --mount "$root/scripts/bench-live.sh" inside | tee "$results"
      [ -z "${1:-}" ] || write_page bench-live "$results"
      ;;
    *) fail "There is no option $1." "The option is --write." ;;
  esac
}

measure_inside() {
  work=$(mktemp -d)
  trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
  make_network
  for round in $(seq "$rounds"); do
    progress "round $round of $rounds"
    measure_all
  done
  print_table
}

progress() { printf '%s\n' "$*" >&2; }

# Packets per second, seconds, receiver.
measure_all() {
  measure 100000 5 flows
  measure 100000 5 libpcap
  measure 100000 5 rustnet
  measure 300000 10 flows
  measure 300000 5 table
  measure 300000 5 ring
  measure 300000 5 libpcap
  measure 500000 5 flows
  measure 500000 5 table
  measure 500000 5 ring
  measure 500000 5 libpcap
}

prepare() {
  find_cargo
  # shellcheck disable=SC2207 # a list of words
  local packages=($(missing_for_build))
  have ip || packages+=(iproute2)
  have unshare || packages+=(util-linux)
  [ -e /usr/include/pcap/pcap.h ] || packages+=(libpcap-dev)
  if [ ! -x "$rustnet" ]; then
    # Its defaults compile eBPF programs.
    have clang || packages+=(clang)
    have pkg-config || packages+=(pkg-config)
    [ -e /usr/include/libelf.h ] || packages+=(libelf-dev)
    [ -e /usr/include/zlib.h ] || packages+=(zlib1g-dev)
  fi
  install_packages "${packages[@]}"
  (cd "$root" && cargo build --quiet --release --locked -p bwmon-bin --bin bwmon-agent)
  (cd "$root" && cargo build --quiet --release --locked -p bwmon-benches --features live --bins)
  if [ ! -x "$rustnet" ] || [ "$("$rustnet" --version)" != "rustnet $rustnet_version" ]; then
    say "Installing RustNet $rustnet_version into $tools (some minutes, once)"
    cargo install --quiet --locked --root "$tools" rustnet-monitor --version "$rustnet_version"
  fi
}

make_network() {
  mount -t sysfs sysfs /sys
  echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
  ip link set lo up
  unshare --net sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; exec sleep 3600' &
  peer=$!
  until [ "$(readlink "/proc/$peer/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
    [ "$(cat "/proc/$peer/comm")" = sleep ]; do sleep 0.05; done
  ip link add bw0 type veth peer name bw1 netns "$peer"
  ip link set bw0 up
  nsenter --net --target "$peer" ip link set bw1 up
}

# One measurement. Appends to the results: rate, way, run time in ns, frames sent, frames seen, seconds.
measure() {
  local rate=$1 seconds=$2 way=$3 before after sent seen
  rm -f "$work/in"
  mkfifo "$work/in"
  start "$way" <"$work/in" &
  receiving=$!
  exec {input}>"$work/in"
  sleep 1.5
  before=$(run_time "$way")
  sent=$(received_by_kernel)
  taskset -c "$core" nsenter --net --target "$peer" "$sender" bw1 "$rate" "$seconds" "$flows" \
    >"$work/sent" {input}>&-
  sleep 0.5
  after=$(run_time "$way")
  sent=$(($(received_by_kernel) - sent))
  stop_receiver "$way"
  seen=$(seen_by "$way")
  [ -n "$seen" ] || fail "$way did not say how many frames it saw:" "$(head -c 500 "$work/out")"
  printf '%s %s %s %s %s %s\n' "$rate" "$way" $((after - before)) "$sent" "$seen" \
    "$(cut -d' ' -f4 "$work/sent")" | tee -a "$work/results" >&2
}

# Becomes the receiver, which runs until it is told to end.
start() {
  local command=("$receiver" "$1" bw0)
  case $1 in
    flows) command=("$agent" flows --interface bw0 --format json) ;;
    rustnet)
      command=("$rustnet" -i bw0 --headless --output json --no-dpi --no-resolve-dns --no-geoip
        --no-uid-drop)
      ;;
  esac
  bound taskset -c "$core" "${command[@]}" >"$work/out" 2>"$work/err"
}

# Ours end with their standard input, the others at SIGTERM; both then say what they saw.
stop_receiver() {
  exec {input}>&-
  case $1 in flows | rustnet) kill -TERM "$receiving" ;; esac
  wait "$receiving" || fail "$1 failed:" "$(tail -n 5 "$work/err")"
}

# Run time of all threads of the receiver in nanoseconds.
run_time() {
  cat "/proc/$receiving/task/"*/schedstat 2>/dev/null | awk '{ sum += $1 } END { printf "%d", sum; exit NR == 0 }' ||
    fail "$1 ended before it was measured:" "$(tail -n 5 "$work/err")"
}

received_by_kernel() { cat /sys/class/net/bw0/statistics/rx_packets; }

# How many frames the receiver says that it saw.
seen_by() {
  case $1 in
    flows) tr -d ' \n' <"$work/out" | grep -o '"totals":{"frames":[0-9]*' | head -n 1 | grep -o '[0-9]*$' ;;
    rustnet) tr -d ' \n' <"$work/out" | grep -o '"packets_processed":[0-9]*' | tail -n 1 | grep -o '[0-9]*$' ;;
    *) cut -d' ' -f2 "$work/out" ;;
  esac
}

name_of() {
  case $1 in
    flows) echo "bwmon-agent flows" ;;
    table) echo "bwmon, packet ring and flow table" ;;
    ring) echo "bwmon, packet ring alone" ;;
    libpcap) echo "libpcap loop, counts only" ;;
    rustnet) echo "RustNet $rustnet_version, headless, no packet inspection" ;;
  esac
}

# Medians over the rounds; the ratio is to bwmon-agent flows, lost is the most of any round.
print_table() {
  printf '%s.\nMedians of %s rounds, one core for sender, kernel and receiver.\n\n' "$(machine)" "$rounds"
  say "| packets/s | reached | receiver | own CPU, ns/packet | ratio | most lost |"
  say "|---:|---:|---|---:|---:|---:|"
  local rate way own reached is_slow=
  while read -r rate way; do
    own=$(median "$rate" "$way" '$3 / $4')
    reached=$(median "$rate" "$way" '$4 / $6')
    printf '| %s | %.0f | %s | %.1f | %sx | %s |\n' "$rate" "$reached" "$(name_of "$way")" "$own" \
      "$(ratio "$own" "$(median "$rate" flows '$3 / $4')")" "$(most_lost "$rate" "$way")"
    awk -v reached="$reached" -v rate="$rate" 'BEGIN { exit !(reached < 0.97 * rate) }' && is_slow=yes
  done < <(awk '!seen[$1 $2]++ { print $1, $2 }' "$work/results")
  [ -z "$is_slow" ] || warn "some rates were not reached: the core is too slow for them, or busy with something else"
}

# Median of an awk expression over the results of a rate and a way.
median() {
  awk -v rate="$1" -v way="$2" "\$1 == rate && \$2 == way { print $3 }" "$work/results" | sort -g |
    awk '{ values[NR] = $1 } END { print NR % 2 ? values[(NR + 1) / 2] : (values[NR / 2] + values[NR / 2 + 1]) / 2 }'
}

ratio() { awk -v this="$1" -v that="$2" 'BEGIN { printf "%.2f", this / that }'; }

most_lost() {
  awk -v rate="$1" -v way="$2" '$1 == rate && $2 == way && $4 - $5 > most { most = $4 - $5 }
    END { printf "%d", most }' "$work/results"
}

main "$@"
