# `make help` lists the targets. Everything is installed into .venv; nothing else is touched.
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test campaign check format docs bench screenshots clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/runtime ## Serve the sample catalogue on 127.0.0.1:8080, ask three access queries, keep serving
	@$(BIN)/eligibility serve --demo || test $$? -eq 130 # Ctrl-C is how it ends

test: $(VENV)/test ## Run every test
	$(BIN)/pytest --numprocesses auto --dist worksteal

CAMPAIGN := access engine explain formats rules windows

campaign: $(VENV)/test ## Run the property tests again, with three times as many examples
	EXAMPLES=all $(BIN)/pytest --numprocesses auto --dist worksteal -m hypothesis $(addprefix tests/,$(CAMPAIGN))

check: $(VENV)/dev ## Format, lint, strict types, docs, then every test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory test

format: $(VENV)/dev ## Format the code in place
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/test ## Render the generated pages of docs/ again
	$(BIN)/python -m docs.render

bench: $(VENV)/test ## Measure: every figure with its reference, in the same run
	$(BIN)/python -m benchmarks

screenshots: $(VENV)/test ## Make the dashboard's pictures of docs/images again
	$(BIN)/python -m docs.screenshots

clean: ## Remove what the other targets made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(VENV)/bin/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	    $$python -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    exec $$python -m venv --clear $(VENV); \
	done; \
	echo "no Python of 3.11 or later with its venv module; on Debian: apt-get install python3-venv" >&2; \
	exit 1

# Stamps: installed again when what is wanted changes.
$(VENV)/runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing into $(VENV) ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/test: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing into $(VENV), tests included ..."
	@$(INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/runtime

$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing into $(VENV), development tools included ..."
	@$(INSTALL) --editable '.[test,dev]'
	@touch $@ $(VENV)/test $(VENV)/runtime
