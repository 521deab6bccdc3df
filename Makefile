# `make demo` and `make test` do everything from a fresh clone: environment, installation, data, run. `make help` lists the rest.
#
# PYTHON=...   the interpreter for the environment (3.11 or newer; the first one found otherwise)
# VENV=...     where the environment lives
# ELSEWHERE=...  the export targets of `make test-targets`
# TESTS=...    what pytest runs, e.g. TESTS="tests/reporting -k table"

VENV ?= .venv
TESTS ?= -n 2 --dist loadfile
export PYTHON
# An environment shared by several clones must run the clone it is called from.
export PYTHONPATH := $(CURDIR)/src
# Tests run in two processes; more threads in each would only compete for the same cores.
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# Targets whose packages cannot stand beside torch's newest.
ELSEWHERE ?= litert,litert-int8,executorch,executorch-int8,coreml

.DEFAULT_GOAL := help
.PHONY: help demo test test-browser test-trackers test-targets test-gpu bench lint format docs clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

demo: ## the whole story on real images in minutes; ends with the report's path
	@.ci/venv "$(VENV)" demo
	"$(VENV)/bin/azeotrope" demo

test: ## every test that needs no network, GPU or patience
	@.ci/venv "$(VENV)" dev,demo
	$(THREADS) "$(VENV)/bin/python" -m pytest $(TESTS)

test-gpu: ## on a machine with a CUDA card: a comparison in each precision, and a sweep over two cards
	@.ci/venv "$(VENV)" dev,demo
	"$(VENV)/bin/python" -m pytest tests/gpu -m gpu

test-browser: ## the report and the page of an export in Chromium (CHROMIUM=..., or the system's own)
	@.ci/venv "$(VENV)" dev,demo,browser
	$(THREADS) "$(VENV)/bin/python" -m pytest tests/reporting/test_browser.py tests/exporting/test_page_in_browser.py -m browser

test-trackers: ## what --track writes, opened by the trackers' own readers
	@.ci/venv "$(VENV)" dev,demo,track
	$(THREADS) "$(VENV)/bin/python" -m pytest tests/trackers -m "trackers or not trackers"

test-targets: ## LiteRT, ExecuTorch and Core ML, in environments that are made in the cache (gigabytes)
	@.ci/venv "$(VENV)" dev,demo
	$(THREADS) AZEOTROPE_TARGET_ENV=make AZEOTROPE_TARGETS=$(ELSEWHERE) "$(VENV)/bin/python" -m pytest tests/contract/test_targets.py tests/exporting/test_export_elsewhere.py

bench: ## the measured claims of docs/, side by side with other programs
	@.ci/venv "$(VENV)" dev,demo
	@for file in benchmarks/[!_]*.py; do echo "== $$file"; "$(VENV)/bin/python" "$$file" || exit 1; done

lint: ## style and types, as CI checks them
	@.ci/venv "$(VENV)" dev,demo
	"$(VENV)/bin/ruff" check
	"$(VENV)/bin/ruff" format --check
	"$(VENV)/bin/mypy"

format: ## rewrite the files in the project's style
	@.ci/venv "$(VENV)" dev,demo
	"$(VENV)/bin/ruff" check --fix
	"$(VENV)/bin/ruff" format

docs: ## the documentation as a folder that opens without a server (site/)
	@.ci/venv "$(VENV)" dev,demo
	"$(VENV)/bin/mkdocs" build --strict

clean: ## remove the environment and what tools left behind
	rm -rf .venv site dist .mypy_cache .ruff_cache .pytest_cache
