# make quickstart   a first leaderboard, from nothing
# make test         the whole test-suite
# make benchmark    what everything costs, beside a bare loop and the peers (ARGS=--quick: less)
# make help         everything else

PYTHON ?= python3
VENV ?= .venv
# cpu (default), cuda (the registry's newest build, gigabytes on Linux) or none (no neural networks)
TORCH ?= cpu
TORCH_VERSION := 2.13.0
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

# 1: exactly the versions of requirements.lock, whose hashes are checked, instead of the newest ones
LOCKED ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# These bring torch along, so they are left out where torch is unwanted.
DEV_EXTRAS := dev$(if $(filter none,$(TORCH)),,$(shell echo ,tabm,rtdl-revisiting-models))
RUN_READY := $(VENV)/.ready-run-$(TORCH)$(LOCKED:%=-locked)
DEV_READY := $(VENV)/.ready-dev-$(TORCH)$(LOCKED:%=-locked)
EXACTLY := $(PIP) install -q --no-deps --require-hashes -r
LOCK := $(BIN)/uv pip compile pyproject.toml -q --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --custom-compile-command "make lock" \
	--override .ci/no-torch.txt --no-emit-package torch

.PHONY: help quickstart test test-oldest benchmark docs lint types contracts check format wheel lock \
	audit clean

help:
	@grep -E '^# make' Makefile | sed 's/^# //'
	@echo 'make docs         the documentation as pages to browse: build/docs/index.html'
	@echo 'make check        lint, types and import contracts'
	@echo 'make format       format the code'
	@echo 'make wheel        build sdist and wheel into dist/'
	@echo 'make test-oldest  a part of the tests with the oldest versions that pyproject.toml allows'
	@echo 'make lock         write requirements.lock and requirements-dev.lock anew'
	@echo 'make audit        look the locked versions up among known vulnerabilities'
	@echo 'make LOCKED=1 ... install exactly what is locked'
	@echo 'make clean        remove .venv and caches; runs/ stays'

quickstart: $(RUN_READY)
	@$(BIN)/cytobench run

test: $(DEV_READY)
	@$(BIN)/python -m pytest -n auto $(ARGS)

test-oldest: $(DEV_READY)
	@PYTHON_NEWEST=$(BIN)/python .ci/run-oldest

benchmark: $(DEV_READY)
	@$(BIN)/python benchmarks/run.py $(ARGS)

docs: $(DEV_READY)
	@$(BIN)/python -m sphinx -W --keep-going -q -c docs . build/docs
	@echo 'open build/docs/index.html'

check: lint types contracts

lint: $(DEV_READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV_READY)
	@$(BIN)/mypy

contracts: $(DEV_READY)
	@$(BIN)/lint-imports

format: $(DEV_READY)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

wheel: $(DEV_READY)
	@$(BIN)/python -m build --no-isolation

lock: $(DEV_READY)
	@$(PIP) install -q uv
	@$(LOCK) --upgrade --extra dev --extra tabm --extra rtdl-revisiting-models -o requirements-dev.lock
	@$(LOCK) --upgrade -c requirements-dev.lock -o requirements.lock

audit: $(DEV_READY)
	@$(BIN)/python .ci/audit.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "cytobench needs Python 3.11 or newer; say which: make PYTHON=python3.12 ..."; exit 2; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "the venv module is missing (Debian, Ubuntu: apt-get install python3-venv)"; exit 2; }

# The CPU build first: a bare "torch" would bring gigabytes of CUDA to a Linux machine.
$(VENV)/.ready-torch-$(TORCH): | $(BIN)/python
	@echo "installing torch ($(TORCH))"
ifeq ($(TORCH),cpu)
ifeq ($(shell uname -s),Linux)
	@$(PIP) install -q "torch==$(TORCH_VERSION)+cpu" 2>/dev/null || \
		$(PIP) install -q "torch==$(TORCH_VERSION)+cpu" --extra-index-url $(TORCH_CPU_INDEX) || \
		{ echo "no CPU build of torch could be had; go on without it: make TORCH=none ..."; exit 2; }
else
	@$(PIP) install -q "torch==$(TORCH_VERSION)"
endif
else ifeq ($(TORCH),cuda)
	@$(PIP) install -q "torch>=$(TORCH_VERSION)"
endif
	@touch $@

$(RUN_READY): pyproject.toml $(VENV)/.ready-torch-$(TORCH) $(LOCKED:%=requirements.lock)
	@echo "installing cytobench and what it needs (a minute or two)"
ifneq ($(LOCKED),)
	@$(EXACTLY) requirements.lock
	@$(PIP) install -q --no-deps -e .
else
	@$(PIP) install -q -e .
endif
	@touch $@

$(DEV_READY): pyproject.toml $(VENV)/.ready-torch-$(TORCH) $(LOCKED:%=requirements-dev.lock)
	@echo "installing cytobench, what it needs and the development tools (a minute or two)"
ifneq ($(LOCKED),)
	@test $(TORCH) != none || { echo "the locked tools include networks: not with TORCH=none"; exit 2; }
	@$(EXACTLY) requirements-dev.lock
	@$(PIP) install -q --no-deps --no-build-isolation -e .
else
	@$(PIP) install -q -e '.[$(DEV_EXTRAS)]'
endif
	@touch $@ $(RUN_READY)
