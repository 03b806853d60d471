# One-liners. `make run` and `make test` do all set-up by themselves.
PRATU := $(or $(CARGO_TARGET_DIR),target)/debug/pratu
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Builds what it measures and runs the generator.
LOADTESTS = cargo build --release --workspace --bin pratu --bin loadtests && $(TARGET)/release/loadtests

.PHONY: run test check differential privacy drill scale bench load load-journeys bench-load bench-peers schema schema-check sbom graphiql format help

run: ## builds and starts everything: SQLite under data/, sandbox, demo data
	@$(MAKE) --no-print-directory graphiql || echo "GraphiQL will come from its CDN"
	cargo build --workspace --bin pratu
	$(PRATU) serve

test: ## every test, on SQLite and PostgreSQL (installed when absent)
	infra/test

check: schema-check ## formatting, lints, docs, deployment files, licences and sources, checked-in schema
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	infra/lint
	infra/deny

differential: ## random documents and callers, the engine against one server (DOCUMENTS=, CASES=, SEED=)
	cargo test --release -p federation --test federation -- --ignored --nocapture for_a_long_time

privacy: ## random callers and documents, answers kept against answers made anew (PAIRS=, SEED=)
	cargo test -p tests --test system -- --ignored --nocapture a_hundred_thousand_answers

drill: ## kills, stops and fails over everything under load, on real servers (DRILL=, SEED=, RATE=, KILLS=)
	infra/drill

scale: ## plans and page times with very many rows, on PostgreSQL (ROWS=, default 200000)
	PRATU_TEST_POSTGRES=$$(infra/servers up) nice cargo test -p applications -p payments --test service --test payments \
		--no-fail-fast -- --ignored --nocapture no_statement

bench: ## what the engine and a search cost, as ratios within one run
	cargo bench -p federation
	cargo bench -p pratu --bench search

load: ## a scenario of loadtests/ at a fixed rate of arrivals (SCENARIO=steady, ARGS="--scale 0.1 --keep NAME")
	$(LOADTESTS) scenario $(or $(SCENARIO),steady) $(ARGS)

load-journeys: ## whole citizens with thresholds, by goose (ARGS="--users 20 --seconds 60")
	CARGO_TARGET_DIR=$(TARGET)/journeys cargo build --release --manifest-path loadtests/journeys/Cargo.toml
	$(LOADTESTS) journeys --journeys $(TARGET)/journeys/release/load-journeys $(ARGS)

bench-load: ## cached, tracking, submits, hot-key or subscriptions (BENCH=cached, ARGS="--keep NAME")
	$(LOADTESTS) $(or $(BENCH),cached) $(ARGS)

bench-peers: ## us and other federation gateways in turn (HIVE_ROUTER=, ARGS="--rounds 3 --keep NAME")
	cd loadtests/peers && PATH="$$(../../infra/node):$$PATH" npm ci --no-audit --no-fund
	PATH="$$(infra/node):$$PATH" $(LOADTESTS) peers $(if $(HIVE_ROUTER),--hive-router $(HIVE_ROUTER)) $(ARGS)

schema: ## exports every subgraph and composes the supergraph
	cargo build --workspace --bin pratu
	$(PRATU) schema graphql/subgraphs
	infra/compose graphql/subgraphs graphql/supergraph.graphql

schema-check: ## fails when the checked-in schema is not what the code exports
	rm -rf target/schema && mkdir -p target/schema/subgraphs
	cargo build --workspace --bin pratu
	$(PRATU) schema target/schema/subgraphs
	infra/compose target/schema/subgraphs target/schema/supergraph.graphql
	diff -r target/schema/subgraphs graphql/subgraphs
	diff target/schema/supergraph.graphql graphql/supergraph.graphql

sbom: ## the software bill of materials: target/pratu.cdx.json (CycloneDX)
	infra/sbom

graphiql: ## fetches GraphiQL for /graphiql (needs Node; otherwise the page uses a CDN)
	@infra/graphiql

format: ## formats the code
	cargo fmt --all

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
