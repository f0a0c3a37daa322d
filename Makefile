# The only command surface of the project. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
DISTRIBUTED_ENGINES := kafka,cassandra,redis,minio
TESTED_ENGINES := $(DISTRIBUTED_ENGINES),seaweedfs
ENGINES_FILE = $${CHAT4ALL_ENGINES_DIR:-$(CURDIR)/.engines}/engines.json
DISTRIBUTED_TESTS := $(addprefix tests/e2e/test_,channels.py channel_down.py channels_under_faults.py rest.py rest_bad_input.py \
  grpcurl.py crash.py grpc_files.py files_rest.py files_strangers.py files_bad_input.py files_names.py files_quotas.py \
  files_links.py files_memory.py files_store_away.py sdk_files.py files_cuts.py)
MEMBERS := gen/python core channels server workers standalone sdk/python
# gRPC's core would remark on every process that is started.
BENCH = env PYTHONPATH=tests/support GRPC_ENABLE_FORK_SUPPORT=0 $(BIN)/python
export UV_NO_PROGRESS := 1

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

.PHONY: setup
setup: .venv/.ready ## install everything into .venv (the other commands do it by themselves)
	@:

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Chat4All needs Python 3.11 or later"; exit 1; }
	@$(PYTHON) -m venv .tools || { echo "Chat4All needs Python's venv module (Debian: python3-venv)"; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

# uv.lock names no index (see tools/lock.sh), so the pins and hashes are exported and installed from
# the index that this machine uses.
.venv/.ready: $(UV) uv.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@echo "setting up .venv (once) ..."
	@$(UV) venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@$(UV) export --quiet --frozen --all-packages --all-groups --no-emit-workspace --no-header > .tools/pins.txt
	@$(UV) pip sync --quiet --python .venv --require-hashes .tools/pins.txt
	@$(UV) pip install --quiet --python .venv --no-deps $(MEMBERS:%=-e ./%)
	@touch $@

.PHONY: lock
lock: $(UV) ## resolve the dependencies anew and write uv.lock
	@UV=$(UV) tools/lock.sh $(ARGS)

.PHONY: gen
gen: .venv/.ready ## regenerate gen/ from proto/
	@$(BIN)/python tools/generate.py

.PHONY: fmt
fmt: .venv/.ready ## format the code and the contracts
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format -w proto

.PHONY: run
run: .venv/.ready ## serve everything on this machine: API on port 8080, data in .chat4all/
	@CHAT4ALL_CHANNELS_SIMULATED=$${CHAT4ALL_CHANNELS_SIMULATED-on} exec $(BIN)/python -m chat4all_standalone $(ARGS)

.PHONY: admin
admin: .venv/.ready ## say who operates the platform of `make run`: ARGS="grant NAME" or "revoke NAME"
	@$(BIN)/python -m chat4all_standalone admin $(ARGS)

.PHONY: run-distributed
run-distributed: .venv/.ready ## serve by several processes on real engines, which are started if need be; ARGS: --servers 3 ...
	@$(BIN)/python -m tools.engines up --only $(DISTRIBUTED_ENGINES)
	@exec $(BIN)/python -m chat4all_standalone.distributed --engines $(ENGINES_FILE) $(ARGS)

.PHONY: rolling-restart
rolling-restart: .venv/.ready ## replace the processes of run-distributed one after the other, unnoticed by clients
	@exec $(BIN)/python -m chat4all_standalone.distributed --rolling-restart

.PHONY: open-generation
open-generation: .venv/.ready ## move a topic to another number of partitions, in use; ARGS: --topic NAME --partitions N
	@exec $(BIN)/python -m chat4all_standalone.distributed --engines $(ENGINES_FILE) --open-generation $(ARGS)

.PHONY: demo
demo: .venv/.ready ## a scripted tour: two people, a conversation, messages and their states live
	@exec $(BIN)/python examples/demo.py

.PHONY: test
test: .venv/.ready ## every test that needs no external engine; ARGS go to pytest
	@$(BIN)/pytest --ignore tests/engines $(ARGS)

.PHONY: test-engines
test-engines: .venv/.ready ## contracts, faults and the end-to-end tests on real engines, which are started if need be
	@$(BIN)/python -m tools.engines up --only $(TESTED_ENGINES) --free-ports
	@CHAT4ALL_TEST_ENGINES=$(ENGINES_FILE) $(BIN)/pytest tests/contract tests/engines -k "not sqlite" $(ARGS)
	@CHAT4ALL_TEST_ENGINES=$(ENGINES_FILE) $(BIN)/pytest --platform distributed $(DISTRIBUTED_TESTS) $(ARGS)

.PHONY: engines-up
engines-up: .venv/.ready ## start real Kafka, Cassandra, Redis and S3 stores as processes (data in .engines/)
	@exec $(BIN)/python -m tools.engines up $(ARGS)

.PHONY: engines-down
engines-down: .venv/.ready ## stop them
	@exec $(BIN)/python -m tools.engines down $(ARGS)

.PHONY: grpcurl
grpcurl: .tools/bin/grpcurl ## build grpcurl into .tools/bin

.tools/bin/grpcurl:
	@tools/grpcurl.sh

.PHONY: test-crash
test-crash: .venv/.ready ## 20,000 messages while the whole process is killed at random; the short form is in `make test`
	@$(BIN)/pytest tests/e2e/test_crash.py --messages 20000 --kills 12 --timeout 3600 $(ARGS)

.PHONY: test-faults
test-faults: .venv/.ready ## 100,000 messages while processes and engines are killed and frozen at random; ARGS: --nodes 3 --seed ...
	@$(BIN)/pytest tests/engines/test_faults.py -s --messages 100000 --rate 500 --faults 36 --timeout 7200 $(ARGS)

.PHONY: test-channels
test-channels: .venv/.ready ## 20,000 messages over three channels that fail in many ways, while the platform is killed
	@$(BIN)/pytest tests/e2e/test_channels_under_faults.py --channel-messages 20000 --kills 8 --timeout 3600 -s $(ARGS)

.PHONY: test-channels-distributed
test-channels-distributed: .venv/.ready ## the same for a distributed platform, whose connectors are killed too
	@$(BIN)/python -m tools.engines up --only $(DISTRIBUTED_ENGINES) --free-ports
	@CHAT4ALL_TEST_ENGINES=$(ENGINES_FILE) $(BIN)/pytest --platform distributed \
		tests/e2e/test_channels_under_faults.py --channel-messages 20000 --kills 8 --timeout 3600 -s $(ARGS)

.PHONY: test-cuts
test-cuts: .venv/.ready ## an upload of 1 GiB that is cut 24 times in every way; the short form is in `make test`
	@$(BIN)/pytest tests/e2e/test_files_cuts.py --file-mebibytes 1024 --cuts 24 --timeout 3600 -s $(ARGS)

.PHONY: test-small-files
test-small-files: .venv/.ready ## 10,000 files of a few bytes, several at once; the short form is in `make test`
	@$(BIN)/pytest tests/e2e/test_files_links.py -k many_small_files --small-files 10000 --timeout 3600 $(ARGS)

.PHONY: bench
bench: .venv/.ready ## measure throughput and latency against a bare echo in the same run; ARGS=files or channels: those instead
	@exec $(BENCH) -m bench $(ARGS)

.PHONY: bench-distributed
bench-distributed: .venv/.ready ## the same for a distributed platform of one process of each kind; ARGS: --sections delivered,latency ...
	@$(BIN)/python -m tools.engines up --only $(DISTRIBUTED_ENGINES)
	@exec $(BENCH) -m bench --platform distributed --engines $(ENGINES_FILE) $(ARGS)

.PHONY: bench-memory
bench-memory: .venv/.ready ## show that memory stays flat over 200,000 messages and beside a stalled reader
	@exec $(BENCH) -m bench.memory $(ARGS)

.PHONY: endurance-files
endurance-files: .venv/.ready ## files of 5 GiB up and down, their sums compared and memory watched; ARGS: --platform distributed --at-once 8 ...
	@exec $(BENCH) -m bench.files.endurance $(ARGS)

.PHONY: bench-backlog
bench-backlog: .venv/.ready ## 200,000 messages accepted with no router running, then drained by one, with its memory
	@$(BIN)/python -m tools.engines up --only $(DISTRIBUTED_ENGINES)
	@exec $(BENCH) -m bench.routing.backlog $(ENGINES_FILE) $(ARGS)

.PHONY: bench-routers
bench-routers: .venv/.ready ## what a second router adds, both held to the same share of a core
	@$(BIN)/python -m tools.engines up --only $(DISTRIBUTED_ENGINES)
	@exec $(BENCH) -m bench.routing.scaling $(ENGINES_FILE) $(ARGS)

.PHONY: lint
lint: .venv/.ready ## ruff, mypy, import-linter, buf lint and breaking, generated code up to date
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo > .tools/imports.txt || { cat .tools/imports.txt; exit 1; }
	@$(BIN)/buf format --diff --exit-code proto
	@$(BIN)/buf lint gen/envoy/chat4all.binpb --config buf.yaml
	@$(BIN)/buf breaking gen/envoy/chat4all.binpb --config buf.yaml --against proto/released.binpb
	@$(BIN)/python tools/generate.py --check

.PHONY: check
check: lint test test-engines ## all that must pass before a change lands
