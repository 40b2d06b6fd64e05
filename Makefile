# Everything the project needs lives in this checkout (.venv, .tools, tests/clis/node_modules)
# and in the caches of uv and npm; nothing is installed anywhere else.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
CLIS := tests/clis/node_modules/.ready tests/clis/oldest/node_modules/.ready
BWRAP := tests/bubblewrap/bwrap
PYTEST_ARGS ?=

# Where this is set, as in many containers, each of the processes below compiles all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test soak reliability check compiled bench docs lock clean

help: ## Show the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: .venv/.ready ## Make .venv with the locked dependencies

demo: setup ## Run three tasks side by side on a throw-away repository: no account, no tokens
	@$(BIN)/abreast demo

test: setup ## Run every check and test, with the three real CLIs
	@$(MAKE) --no-print-directory -j4 check compiled $(CLIS) $(BWRAP)
	$(BIN)/pytest -n 3 --dist loadgroup $(PYTEST_ARGS)

soak: setup $(CLIS) $(BWRAP) ## Run the rows of which others prove the same, and a thousand sessions with faults
	@rm -f .soak.jsonl
	RELIABILITY_ROWS=$(CURDIR)/.soak.jsonl $(BIN)/pytest -n 3 --dist loadgroup -m product $(PYTEST_ARGS); status=$$?; \
	! grep -q '"soak"' .soak.jsonl || $(BIN)/python docs/soak.py .soak.jsonl; exit $$status

reliability: setup ## Let everything go wrong everywhere, and write docs/reliability.md
	@rm -f .reliability.jsonl
	RELIABILITY_ROWS=$(CURDIR)/.reliability.jsonl $(BIN)/pytest -n 2 -m "product or not product" tests/engine/working/test_crash_points.py tests/engine/working/test_fault_matrix.py; status=$$?; \
	$(BIN)/python docs/reliability.py .reliability.jsonl; exit $$status

check: setup ## Lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Else each of the processes that run the tests compiles them all; what fails here fails there too.
compiled: setup
	@$(BIN)/pytest --collect-only -qq >/dev/null 2>&1 || true

bench: setup $(CLIS) ## Measure, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks

docs: setup ## Regenerate what the docs quote from the program
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/layers.py
	$(BIN)/python docs/doctor.py

lock: .tools/bin/uv ## Lock the dependencies again, with hashes
	.tools/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements/runtime.txt
	.tools/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o requirements/dev.txt

.tools/bin/uv:
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools uv

ifneq ($(UV),.tools/bin/uv)
.venv/.ready: requirements/dev.txt pyproject.toml
else
.venv/.ready: requirements/dev.txt pyproject.toml | .tools/bin/uv
endif
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "abreast needs Python 3.11 or newer; hint: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(CLIS): %/node_modules/.ready: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# By its path, not on PATH: what has none there is tested as well. Elsewhere than on Debian and its
# kin, the one that is installed will do.
$(BWRAP):
	@mkdir -p $(@D)
	@if command -v bwrap >/dev/null; then ln -sf "$$(command -v bwrap)" $@; \
	else cd $(@D) && apt-get download -q bubblewrap && dpkg -x bubblewrap_*.deb unpacked && ln -sf unpacked/usr/bin/bwrap bwrap; fi

clean: ## Remove what make has made
	rm -rf .venv .tools dist build tests/clis/node_modules tests/clis/oldest/node_modules tests/bubblewrap
