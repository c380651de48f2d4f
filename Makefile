# Two commands on a fresh machine do everything: `make demo` and `make test`.
# They make .venv themselves: with uv where it is installed, else with Python's venv and pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
# Once for all: where Python may not keep what it compiles, each process would do it again, for half a second.
COMPILE := $(BIN)/python -m compileall -q src

.PHONY: demo test lint bench docs clean

demo: $(STAMP)
	$(BIN)/spamtide demo demo

test: $(STAMP)
	$(COMPILE)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python benchmarks/ingest.py

docs: $(STAMP)
	$(BIN)/python docs/make.py

$(STAMP): requirements-dev.lock pyproject.toml $(wildcard native/*.c native/*.h native/build.py)
	@if command -v uv >/dev/null 2>&1; then \
	  { test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) $(VENV); } && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Spamtide needs Python 3.11 or later; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 69; }; \
	  $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	    { echo "Python's venv is missing (on Debian and Ubuntu: apt-get install python3-venv); or install uv" >&2; exit 69; }; \
	  { test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); } && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@$(COMPILE)
	@touch $@

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
