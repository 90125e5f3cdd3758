# The two commands of README.md, and what they are made of.
#   make demo   builds everything and runs the main job on SQLite; DEMO_ARGS passes options on
#   make test   installs what the tests need where it may, and passes them all
.PHONY: demo test web release lint

demo: release
	./target/release/scilit demo $(DEMO_ARGS)

release: web
	cargo build --release --locked --bin scilit

web: web/node_modules/.package-lock.json
	cd web && npm run build

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund

test:
	tests/run

lint:
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo check --locked --no-default-features --lib
