# The only command surface of the project. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .uv/bin/uv
BIN := .venv/bin
MEMBERS := gen/python core server workers standalone sdk/python
export UV_NO_PROGRESS := 1

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: .venv/.ready ## install everything into .venv (the other commands do it by themselves)

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Chat4All needs Python 3.11 or later"; exit 1; }
	@$(PYTHON) -m venv .uv || { echo "Chat4All needs Python's venv module (Debian: python3-venv)"; exit 1; }
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"

# uv.lock names no index (see tools/lock.sh), so the pins and hashes are exported and installed from
# the index that this machine uses.
.venv/.ready: $(UV) uv.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml)
	@echo "setting up .venv (once) ..."
	@$(UV) venv --quiet --allow-existing --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv
	@$(UV) export --quiet --frozen --all-packages --all-groups --no-emit-workspace --no-header > .uv/pins.txt
	@$(UV) pip sync --quiet --python .venv --require-hashes .uv/pins.txt
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
