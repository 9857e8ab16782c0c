# Everything is set up in .venv on first use. Two stamps there say what is installed, so nothing is
# installed again until a lock, pyproject.toml or the place of this folder changes.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run test test-heavy lint bench lock clean

python := .venv/bin/python
project := pyproject.toml tools/setup

# What is installed in .venv knows its place by its full path, so a copied or moved folder, or one
# whose Python is gone, makes its .venv anew.
ifneq ($(and $(wildcard $(python)),$(shell cat .venv/place 2>/dev/null)),$(CURDIR))
.PHONY: .venv/run.stamp .venv/dev.stamp
endif

help: ## Show this list.
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

run: .venv/run.stamp ## Open aimem (ARGS="search words" runs a command instead).
	@.venv/bin/aimem $(ARGS)

test: lint ## Check the code and run the quick tests (ARGS="-k name" picks some).
	@$(python) -m pytest $(ARGS)

test-heavy: .venv/dev.stamp ## Run the tests that take long or much.
	@AIMEM_HYPOTHESIS=heavy $(python) -m pytest -m heavy $(ARGS)

lint: .venv/dev.stamp ## Check style, types and which module may import which.
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

bench: .venv/dev.stamp ## Measure speed and size (ARGS="name" picks a measurement).
	@$(python) -m bench $(ARGS)

lock: .venv/dev.stamp ## Write the locks anew (ARGS=--upgrade takes newer versions).
	@$(python) -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: --requirement requirements/lock.txt
	@tools/lock $(ARGS)

clean: ## Remove all that make made; thoughts are kept elsewhere and stay.
	@rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/run.stamp: requirements/run.txt requirements/build.txt $(project)
	@sh tools/setup run requirements/run.txt requirements/build.txt

.venv/dev.stamp: requirements/dev.txt $(project)
	@sh tools/setup dev requirements/dev.txt
