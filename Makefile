# `make run` shows this machine in a browser, `make test` runs everything; `make help` lists the rest.
# The work is in scripts/; the steps of `make test` are goals of their own here.

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help run build build-rust build-page test test-setup fmt fmt-check page-check clippy deny doc \
	test-rust examples bench-check bench bench-peers bench-live bench-ingest simulate soak measure-agent fuzz-check fuzz fuzz-short \
	page-build page-states e2e advisories

CARGO_TEST := cargo test --locked --workspace --all-features

help: ## Lists the goals
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'
	@echo "  BWMON_PORT (8000) and BWMON_DATA (./data) change where \`make run\` listens and keeps its data."

run: ## Builds all, runs a collector and an agent on 127.0.0.1:8000 until Ctrl-C
	@exec scripts/run.sh

build: build-page build-rust ## Builds the page and the binaries in release

build-page: ## Builds the page (needs Node)
	@scripts/build-page.sh

build-rust: ## Builds the binaries in release (needs no Node)
	@cargo build --release --locked -p bwmon-bin --bins

test: ## Installs what tests need and runs all of them
	@exec scripts/test.sh

test-setup: ## Installs what tests need
	@scripts/test-setup.sh

fmt: ## Formats the Rust sources and the page
	@cargo fmt --all
	@cargo fmt --manifest-path fuzz/Cargo.toml
	@cd frontend && npm run --silent format

fmt-check:
	@cargo fmt --all --check
	@cargo fmt --manifest-path fuzz/Cargo.toml --check

page-check: ## The page: generated types, lint, types, unit tests
	@cd frontend && npm run --silent check-generated && npm run --silent lint && \
		npm run --silent typecheck && npm run --silent test

clippy: ## Clippy with warnings denied, in every combination of features that is promised
	@scripts/clippy.sh

deny: ## Licences, bans and sources of the dependencies
	@cargo deny --log-level warn check --hide-inclusion-graph licenses bans sources

doc: ## rustdoc with warnings denied
	@RUSTDOCFLAGS="-D warnings" cargo doc --quiet --locked --workspace --all-features --no-deps

test-rust: ## All Rust tests
	@scripts/test-rust.sh

examples: ## Runs the examples
	@scripts/examples.sh

bench-check: ## Runs each benchmark once, and compares totals with the naive program
	@$(CARGO_TEST) --quiet --bench parse --bench flows --bench pipeline --bench wire
	@scripts/bench-peers.sh --check

bench: ## Measures (some minutes, on a quiet machine)
	@scripts/bench.sh

bench-peers: ## Measures `flows` against other flow tools (15 minutes; installs them from Debian)
	@scripts/bench-peers.sh

bench-live: ## Live capture against RustNet and libpcap on one core (5 minutes, on a quiet machine)
	@scripts/bench-live.sh

bench-ingest: ## Reports per second of the collector, beside VictoriaMetrics and a bare log (10 minutes)
	@scripts/bench-ingest.sh

simulate: ## 10,000 agents against a collector that is killed once (7 minutes, on a quiet machine)
	@scripts/simulate.sh

measure-agent: ## Memory and processor time of the agent (some minutes, on a quiet machine)
	@scripts/measure-agent.sh

soak: ## Kills, outages, full disks and lost answers, all of it (an hour); BWMON_SOAK_KILLS=1000
	@scripts/soak.sh

fuzz-check: ## Clippy on the fuzz targets
	@cargo clippy --quiet --locked --manifest-path fuzz/Cargo.toml --target-dir target --no-default-features -- -D warnings

fuzz: ## Fuzzes each target for FUZZ_SECONDS=60; FUZZ_SANITIZER=address with AddressSanitizer
	@scripts/fuzz.sh

fuzz-short: ## Fuzzes each target for 20 s
	@FUZZ_SECONDS=20 scripts/fuzz.sh

page-build: ## Builds the page and checks its size
	@scripts/build-page.sh
	@cd frontend && npm run --silent budget

page-states: ## Browser tests of rare states, against a server that plays them
	@cd frontend && npm run --silent e2e:mock

e2e: ## Browser tests against the real collector and agent
	@scripts/e2e.sh

advisories: ## Known vulnerabilities among the dependencies (needs the network)
	@cargo deny check advisories
