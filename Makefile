# `make demo` and `make test` are all that a bare machine needs; each target sets up what it uses.
# The environment is .venv, from requirements.lock: by uv where it is installed, else by venv and pip.
.PHONY: help demo test test-weak-model quick check docs bench setup lock clean
.DEFAULT_GOAL := help

# The first of these that is Python 3.11 or newer; `make PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
WEAK := build/weak
WEAK_STAMP := $(WEAK)/.complete
MCP := build/mcp
MCP_STAMP := $(MCP)/.complete

help:
	@echo "make demo    the example paper and data set, to a published model"
	@echo "make test    the whole test suite"
	@echo "make quick   the tests that take less than ten seconds each"
	@echo "make test-weak-model   runs with a real, very weak model; compiles its server once (docs/weak-model.md)"
	@echo "make check   lint, format, types"
	@echo "make docs    write the generated parts of the documentation anew"
	@echo "make bench   measure the figures of docs/benchmarks.md on this machine"
	@echo "make lock    resolve the dependencies anew into requirements.lock"
	@echo "make clean   remove the environment and all that was built"

demo: $(STAMP)
	$(BIN)/trainwright demo

test: $(STAMP) $(MCP_STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

quick: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-weak-model: $(STAMP) $(WEAK_STAMP)
	TRAINWRIGHT_WEAK_MODEL_PYTHON=$(CURDIR)/$(WEAK)/bin/python $(BIN)/python -m pytest tests/weak

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPY=$(BIN)/mypy sh tests/packaging/typecheck.sh

bench: $(STAMP)
	$(BIN)/python -m benchmarks

docs: $(STAMP)
	$(BIN)/python docs/generate.py

lock: $(STAMP)
	$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --extra dev \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--output-file requirements.lock pyproject.toml

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { \
		echo "Trainwright needs Python 3.11 or newer, and none of python3, python3.11 … python3.14 is that." >&2; \
		echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python" >&2; \
		exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Trainwright needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Name another: make PYTHON=/path/to/python")'
	@echo "Setting up $(VENV) from requirements.lock (once; a minute or two)"
	@rm -f $(STAMP)
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --no-project --python "$(PYTHON)" $(VENV) && \
		uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock && \
		uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . ; \
	else \
		{ $(PYTHON) -m venv $(VENV) || { echo "The venv module is missing (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }; } && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement requirements.lock && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ; \
	fi
	@touch $(STAMP)

# Published MCP servers, which the tests talk to: each in an environment of its own, since each needs an SDK of its own.
$(MCP_STAMP): tests/mcp/requirements-time.txt tests/mcp/requirements-git.txt | $(STAMP)
	@echo "Setting up $(MCP) from tests/mcp/requirements-*.txt (once; under a minute)"
	@rm -f $(MCP_STAMP)
	@set -e; for name in time git; do \
		if command -v uv >/dev/null 2>&1; then \
			uv venv --quiet --allow-existing --no-project --python "$(PYTHON)" $(MCP)/$$name ; \
			uv pip sync --quiet --python $(MCP)/$$name/bin/python tests/mcp/requirements-$$name.txt ; \
		else \
			$(PYTHON) -m venv $(MCP)/$$name ; \
			$(MCP)/$$name/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/mcp/requirements-$$name.txt ; \
		fi ; \
	done
	@touch $(MCP_STAMP)

# All of it is listed, so no dependency is looked for; llama.cpp is compiled, without the part that reads images.
$(WEAK_STAMP): export CMAKE_ARGS := -DLLAVA_BUILD=OFF
$(WEAK_STAMP): tests/weak/requirements.txt | $(STAMP)
	@command -v c++ >/dev/null 2>&1 || { \
		echo "The weak model's server is compiled, and there is no C++ compiler (Debian, Ubuntu: apt install g++)." >&2; exit 1; }
	@echo "Setting up $(WEAK) from tests/weak/requirements.txt (once; 5 to 10 minutes)"
	@rm -f $(WEAK_STAMP)
	@if command -v uv >/dev/null 2>&1; then \
		uv venv --quiet --allow-existing --no-project --python "$(PYTHON)" $(WEAK) && \
		uv pip sync --quiet --python $(WEAK)/bin/python tests/weak/requirements.txt ; \
	else \
		$(PYTHON) -m venv $(WEAK) && \
		$(WEAK)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/weak/requirements.txt ; \
	fi
	@touch $(WEAK_STAMP)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
