# Thin names; what they do stands in the scripts.
.PHONY: run test test-terraform test-websocket prove fleet fleet-down bench fmt lint

run: # the shop on 127.0.0.1:8080, Embedded world
	cargo run --release

test: # everything that must hold before a change lands
	bash deploy/local/test.sh

test-websocket: # every case of the public suite, over both transports
	bash deploy/local/websocket.sh

test-terraform: # terraform/: form, tests, policy, and an apply against an emulator
	bash deploy/local/terraform.sh

prove: # the long runs
	bash deploy/local/prove.sh

fleet: # the Cluster world on this machine, state in .fleet
	bash deploy/local/fleet.sh up

fleet-down:
	bash deploy/local/fleet.sh down

bench: # all figures in one table
	bash deploy/local/bench.sh

fmt:
	cargo fmt

lint:
	cargo fmt --check
	cargo clippy --all-targets --features aws,otlp,servers --locked -- -D warnings
	cargo clippy --all-targets --locked -- -D warnings
