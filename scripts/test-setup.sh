#!/usr/bin/env bash
# Installs what the tests need: Debian packages, cargo-deny and the page's npm packages.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

find_cargo
find_node
for component in fmt clippy; do
  cargo "$component" --version >/dev/null 2>&1 ||
    fail "cargo $component is needed. Run: rustup component add rustfmt clippy"
done

# shellcheck disable=SC2207 # a list of words
packages=($(missing_for_build))
# libFuzzer is C++.
have c++ || packages+=(g++)
have ip || packages+=(iproute2)
have unshare || packages+=(util-linux)
have "${BWMON_CHROMIUM:-chromium}" || packages+=(chromium)
# Only the optional feature `pcap` needs it, and the tests build with all features.
[ -e /usr/include/pcap/pcap.h ] || packages+=(libpcap-dev)
install_packages "${packages[@]}"

if ! have cargo-deny; then
  say "Installing cargo-deny (some minutes, once)"
  cargo install --locked --quiet cargo-deny
fi
install_page_packages
