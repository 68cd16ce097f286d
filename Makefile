PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: help demo test lint format tables bench pictures notebook clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.base ## set up .venv, then 64 digits in demo/
	$(BIN)/gaussiandiffusion sample --model mnist --num 64 --gif --out demo

test: $(VENV)/.dev ## set up .venv with the development tools, then run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile  # a process a processor

lint: $(VENV)/.dev ## style, types, and that imports go only downward
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## bring the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

tables: $(VENV)/.dev ## write the tables of README and docs anew from benchmarks/results
	$(BIN)/python -m benchmarks.tables

bench: $(VENV)/.dev ## time the renderer
	$(BIN)/python -m benchmarks.rendering

pictures: $(VENV)/.base ## draw the pictures of README and docs anew
	$(BIN)/python -m benchmarks.pictures --out docs/pictures

notebook: $(VENV)/.base ## run examples/tour.ipynb and keep what it shows
	$(BIN)/python examples/execute.py examples/tour.ipynb

$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) .
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) ".[dev]"
	touch $@ $(VENV)/.base

clean: ## remove .venv and what was built
	rm -rf $(VENV) demo build
