# One-liners. `make run` and `make test` do all set-up by themselves.
PRATU := $(or $(CARGO_TARGET_DIR),target)/debug/pratu

.PHONY: run test check differential drill bench schema schema-check graphiql format help

run: ## builds and starts everything: SQLite under data/, sandbox, demo data
	@$(MAKE) --no-print-directory graphiql || echo "GraphiQL will come from its CDN"
	cargo build --workspace --bin pratu
	$(PRATU) serve

test: ## every test, on SQLite and PostgreSQL (installed when absent)
	infra/test

check: schema-check ## formatting, lints, docs, licences and sources, checked-in schema
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	infra/deny

differential: ## random documents and callers, the engine against one server (DOCUMENTS=, CASES=, SEED=)
	cargo test --release -p federation --test federation -- --ignored --nocapture for_a_long_time

drill: ## kills the process at every commit, call and acknowledgement (KILLS=, SEED=, ENGINE=postgres)
	cargo test -p tests --test system -- --ignored --nocapture fifty_kills

bench: ## what the engine and a search cost, as ratios within one run
	cargo bench -p federation
	cargo bench -p pratu --bench search

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

graphiql: ## fetches GraphiQL for /graphiql (needs Node; otherwise the page uses a CDN)
	@infra/graphiql

format: ## formats the code
	cargo fmt --all

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14
