# Needs only python3.11 (or newer) and make. Every target sets up what it needs, once.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3.14 python3,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $(name))))
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SEEDS ?= 20
DEMO ?= out/demo
LANGUAGE ?= en

.DEFAULT_GOAL := help
.PHONY: help demo live test check format bench clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-7s %s\n", $$1, $$2}'

demo: $(VENV)/.core ## first storms: every scenario against naive and resilient, then the report
	@rm -rf $(DEMO)
	@$(BIN)/dingfeng run --design naive --design resilient --seeds $(SEEDS) --jobs $(JOBS) --out $(DEMO) \
		--lang $(LANGUAGE); status=$$?; $(BIN)/dingfeng report $(DEMO) --lang $(LANGUAGE) && exit $$status

live: $(VENV)/.live ## one storm on real parts: processes, PostgreSQL, Toxiproxy, Locust; then the report
	@rm -rf out/live
	@$(BIN)/dingfeng live callback_late --out out/live --lang $(LANGUAGE); status=$$?; \
		$(BIN)/dingfeng report out/live --lang $(LANGUAGE) && exit $$status

test: $(VENV)/.dev ## the test suite
	$(BIN)/python -m pytest -n $(JOBS) $(PYTEST)

check: $(VENV)/.dev ## lint, format, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The strategies take hours (docs/strategies.md says how to compare them); live_soak and agreement are no benchmarks of speed.
bench: $(VENV)/.dev ## measure speed; prints tables
	@set -e; for script in $(filter-out benchmarks/strategies.py benchmarks/tries.py benchmarks/live_soak.py benchmarks/agreement.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script; done

clean: ## forget everything that was built or measured
	rm -rf $(VENV) build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "dingfeng needs Python 3.11 or newer: install it or say make PYTHON=/path/to/python" >&2; exit 2; }
	@echo "creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

# Stamps, so that set-up runs again only when the pins or the packaging change.
$(VENV)/.core: constraints.txt pyproject.toml | $(VENV)/bin/python
	@echo "installing dingfeng and its pinned dependencies into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.live: $(VENV)/.core
	@echo "installing what the live world needs into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[live]'
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	@echo "installing the development tools into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
