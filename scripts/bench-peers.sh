#!/usr/bin/env bash
# `bwmon-agent flows` against the flow tools that people use, on generated traces, one core:
#   bench-peers.sh          measures and prints the tables (about a quarter of an hour, on a quiet machine)
#   bench-peers.sh --write  also puts them into docs/performance.md
#   bench-peers.sh --check  a short run without Debian's tools that only compares totals
#
# PACKETS (5000000) per trace, ROUNDS (5), CORE (0) to run on; TSHARK_PACKETS (PACKETS) for tshark, the
# slowest. BWMON_BENCH_DIR keeps traces and outputs there. docs/performance.md says what is measured.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/bench-lib.sh
. "$(dirname "$0")/bench-lib.sh"

packets=${PACKETS:-5000000}
tshark_packets=${TSHARK_PACKETS:-$packets}
rounds=${ROUNDS:-5}
core=${CORE:-0}
traces=(mixed worst)
tools=(bwmon naive nfpcapd softflowd tshark tcpdump)

main() {
  find_cargo
  cd "$root"
  case ${1:-} in
    --check) check ;;
    --write)
      measure_all
      write_page bench-peers "$work/report.md"
      ;;
    "") measure_all ;;
    *) fail "There is no option $1." "Options are --write and --check." ;;
  esac
}

# Totals of the generator, of bwmon and of the naive program, with the binaries that the tests use.
check() {
  packets=20000
  PATH="$root/scripts/no-node:$PATH" cargo build --quiet --locked --workspace --all-features --bins
  use_binaries debug
  make_folder
  for trace in mixed worst hostile; do
    make_trace "$trace" "$packets"
    for tool in bwmon naive; do
      run "$tool" "$trace"
      agree "$tool" "$trace"
    done
  done
  say "bwmon, the naive program and the generator agree on $packets packets of each trace."
}

measure_all() {
  install_peers
  cargo build --quiet --release --locked -p bwmon-bin --bins
  cargo build --quiet --release --locked -p bwmon-benches --bins
  use_binaries release
  make_folder
  for trace in "${traces[@]}"; do
    make_trace "$trace" "$packets"
    [ "$tshark_packets" = "$packets" ] || make_trace "$trace" "$tshark_packets" "-short"
  done
  : >"$work/results"
  for ((round = 1; round <= rounds; round++)); do
    for trace in "${traces[@]}"; do
      for tool in "${tools[@]}"; do
        printf 'round %d of %d: %-9s %s\n' "$round" "$rounds" "$tool" "$trace" >&2
        measure "$tool" "$trace" >>"$work/results"
        agree "$tool" "$trace"
      done
    done
  done
  count_instructions
  report | tee "$work/report.md"
}

install_peers() {
  local missing=()
  have nfpcapd || missing+=(nfdump)
  have softflowd || [ -x /usr/sbin/softflowd ] || missing+=(softflowd)
  have tshark || missing+=(tshark)
  have tcpdump || missing+=(tcpdump)
  have valgrind || missing+=(valgrind)
  have taskset || missing+=(util-linux)
  [ -x /usr/bin/time ] || missing+=(time)
  install_packages "${missing[@]}"
  PATH="$PATH:/usr/sbin"
}

use_binaries() {
  bin=$target_dir/$1
}

make_folder() {
  if [ -n "${BWMON_BENCH_DIR:-}" ]; then
    mkdir -p "$BWMON_BENCH_DIR"
    work=$(cd "$BWMON_BENCH_DIR" && pwd)
  else
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # tcpdump gives up root before it opens the file.
    chmod 755 "$work"
  fi
}

# Trace $1 of $2 packets, and what it amounts to. $3 tells a second one of the same kind apart.
make_trace() {
  "$bin/trace" "$1" "$2" "$work/$1${3:-}.pcap" >"$work/$1${3:-}.totals"
}

# The trace that tool $1 reads when trace $2 is measured.
name_of_trace() {
  if [ "$1" = tshark ] && [ "$tshark_packets" != "$packets" ]; then
    printf '%s-short' "$2"
  else
    printf '%s' "$2"
  fi
}

# Sets `command` to that of tool $1 for file $2.
set_command() {
  case $1 in
    bwmon) command=("$bin/bwmon-agent" flows "$2" --top 20 --format json) ;;
    naive) command=("$bin/naive" "$2") ;;
    nfpcapd) command=(nfpcapd -r "$2" -w "$work/nfpcapd" -S 0 -s 128) ;;
    softflowd)
      command=(softflowd -r "$2" -d -6 -a -m 2000000 -v 9 -n 127.0.0.1:9995
        -p "$work/softflowd.pid" -c none)
      ;;
    tshark) command=(tshark -n -r "$2" -q -z "conv,tcp" -o tcp.analyze_sequence_numbers:FALSE) ;;
    tcpdump) command=(tcpdump -n -r "$2" -w /dev/null) ;;
  esac
}

# Runs tool $1 on trace $2 under the command that follows.
run() {
  local tool=$1 command
  set_command "$tool" "$work/$(name_of_trace "$tool" "$2").pcap"
  shift 2
  "$@" "${command[@]}" >"$work/$tool.out" 2>"$work/$tool.err" || {
    tail -n 5 "$work/$tool.err" >&2
    fail "$tool failed: ${command[*]}"
  }
}

# Prints tool, trace, user + system seconds of the whole process tree, peak RSS in KiB, packets.
measure() {
  local tool=$1 trace=$2 name seconds TIMEFORMAT='%3U %3S'
  name=$(name_of_trace "$tool" "$trace")
  rm -rf "$work/nfpcapd"
  mkdir "$work/nfpcapd"
  cat "$work/$name.pcap" >/dev/null
  # The shell's own clock: GNU time counts in hundredths of a second.
  { time run "$tool" "$trace" taskset -c "$core" /usr/bin/time -f %M -o "$work/rss" 2>&3; } \
    3>&2 2>"$work/seconds"
  seconds=$(awk 'END { print $1 + $2 }' "$work/seconds")
  printf '%s %s %s %s %s\n' "$tool" "$trace" "$seconds" "$(tail -n 1 "$work/rss")" "$(truth "$name" frames)"
}

# What the generator says of trace $1 under the name $2.
truth() { sed -n "s/^$2=//p" "$work/$1.totals"; }

# The first number under the name $2 in the JSON that tool $1 printed.
json_number() { grep -o "\"$2\": *[0-9][0-9]*" "$work/$1.out" | head -n 1 | grep -o '[0-9]*$'; }

# Bytes from a to b of the first five flows in the JSON that tool $1 printed: twenty rows, the last there.
# Further down bwmon leaves out what has no ports.
largest() { grep -o '"bytes_ab": *[0-9]*' "$work/$1.out" | tail -n 20 | head -n 5 | grep -o '[0-9]*$' | xargs; }

# Ends unless tool $1 saw all of trace $2 in its last run.
agree() {
  local tool=$1 name ip
  name=$(name_of_trace "$tool" "$2")
  ip=$(($(truth "$name" ipv4_frames) + $(truth "$name" ipv6_frames)))
  case $tool in
    bwmon)
      same "$tool" "$name" "$(truth "$name" frames)" "$(json_number bwmon frames)" packets
      same "$tool" "$name" "$(truth "$name" bytes)" "$(json_number bwmon bytes)" bytes
      same "$tool" "$name" 0 "$(json_number bwmon overflow_frames)" "packets in overflow"
      ;;
    naive)
      same "$tool" "$name" "$(truth "$name" frames)" "$(json_number naive frames)" packets
      same "$tool" "$name" "$(truth "$name" bytes)" "$(json_number naive bytes)" bytes
      # What is hostile the two may read differently.
      [ "$2" != hostile ] || return 0
      same "$tool" "$name" "$(truth "$name" flows)" "$(json_number naive flows)" flows
      same "$tool" "$name" "$(largest bwmon)" "$(largest naive)" "bytes from a to b in its largest flows"
      ;;
    nfpcapd)
      same "$tool" "$name" "$ip" "$(nfdump -R "$work/nfpcapd" -I | sed -n 's/^Packets: //p')" packets
      ;;
    softflowd)
      same "$tool" "$name" "$ip" "$(sed -n 's/^Packets processed: //p' "$work/softflowd.out")" packets
      ;;
    tshark)
      same "$tool" "$name" "$(truth "$name" tcp_frames)" \
        "$(awk '$2 == "<->" { sum += $10 } END { print sum + 0 }' "$work/tshark.out")" "TCP packets"
      ;;
    tcpdump)
      same "$tool" "$name" "$(truth "$name" frames)" \
        "$(tcpdump -n -r "$work/$name.pcap" --count 2>/dev/null | sed -n 's/ packets*$//p')" packets
      ;;
  esac
}

same() {
  [ "$3" = "$4" ] || fail "$1 saw ${4:-no number of} $5 in $2.pcap; there are $3." \
    "Keep its output with BWMON_BENCH_DIR=FOLDER and look at $1.out and $1.err."
}

# Instructions of the whole process per packet of the mixed trace, start and end taken off by the
# difference to a trace of 1,000 packets.
count_instructions() {
  local few=1000 tool short whole
  make_trace mixed "$few" -few
  : >"$work/instructions"
  for tool in bwmon naive; do
    printf 'instructions: %s\n' "$tool" >&2
    short=$(instructions "$tool" mixed-few)
    whole=$(instructions "$tool" mixed)
    printf '%s %d\n' "$tool" $(((whole - short) / (packets - few))) >>"$work/instructions"
  done
}

instructions() {
  run "$1" "$2" valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null
  sed -n 's/.*I *refs: *//p' "$work/$1.err" | tr -d ,
}

report() {
  local tool
  report_head
  printf '| tool | mixed, ns/packet | x bwmon | worst, ns/packet | x bwmon | peak RSS in MB, mixed / worst |\n'
  printf '|---|---:|---:|---:|---:|---:|\n'
  for tool in "${tools[@]}"; do
    printf '| %s | %s | %s | %s | %s | %s / %s |\n' "$(title "$tool")" \
      "$(spread "$tool" mixed)" "$(ratio "$tool" mixed)" \
      "$(spread "$tool" worst)" "$(ratio "$tool" worst)" \
      "$(median_rss "$tool" mixed)" "$(median_rss "$tool" worst)"
  done
  printf '\nInstructions per packet of the mixed trace (cachegrind, the whole process without its start): '
  awk '{ printf "%s%s %d", (NR > 1 ? ", " : ""), $1, $2 } END { print "." }' "$work/instructions"
}

report_head() {
  printf '%s.\n' "$(machine)"
  printf 'Medians of %d interleaved runs (lowest to highest), %s packets in each trace' "$rounds" "$packets"
  [ "$tshark_packets" = "$packets" ] || printf ', but the first %s of them for tshark' "$tshark_packets"
  printf ':\nmixed %s flows, worst %s. All tools saw every packet; nothing of bwmon was overflow.\n\n' \
    "$(truth mixed flows)" "$(truth worst flows)"
}

# What tool $1 is called in the table.
title() {
  case $1 in
    bwmon) printf '**bwmon-agent flows**' ;;
    naive) printf 'etherparse + std HashMap' ;;
    nfpcapd) printf 'nfpcapd %s' "$(nfpcapd -V | grep -o '[0-9][0-9.]*' | head -n 1)" ;;
    softflowd) printf 'softflowd %s' "$(softflowd -h 2>&1 | grep -o 'version [0-9.]*[0-9]' | cut -d' ' -f2)" ;;
    tshark) printf 'tshark %s' "$(tshark --version 2>/dev/null | grep -o '[0-9][0-9.]*[0-9]' | head -n 1)" ;;
    tcpdump) printf 'tcpdump %s (copies only)' \
      "$(tcpdump --version 2>&1 | grep -o 'tcpdump version [0-9.]*[0-9]' | cut -d' ' -f3)" ;;
  esac
}

# Nanoseconds per packet of each run of tool $1 on trace $2, ascending.
costs() {
  awk -v tool="$1" -v trace="$2" '$1 == tool && $2 == trace { print $3 * 1e9 / $5 }' "$work/results" | sort -g
}

median() { awk '{ value[NR] = $1 } END { print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2 }'; }

spread() {
  printf '%.0f (%.0f to %.0f)' "$(costs "$1" "$2" | median)" "$(costs "$1" "$2" | head -n 1)" \
    "$(costs "$1" "$2" | tail -n 1)"
}

ratio() {
  [ "$1" != bwmon ] || { printf '1'; return; }
  awk -v a="$(costs "$1" "$2" | median)" -v b="$(costs bwmon "$2" | median)" 'BEGIN { printf "%.1f", a / b }'
}

# In MB (10^6 bytes).
median_rss() {
  awk -v tool="$1" -v trace="$2" '$1 == tool && $2 == trace { print $4 * 1024 / 1e6 }' "$work/results" |
    sort -g | median | xargs printf '%.0f'
}

main "$@"
