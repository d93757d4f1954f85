# The two commands of the README:
#
#   make try     sets up .venv and runs the live try-on (no camera or no screen: writes a video and a picture to try/)
#   make test    sets up .venv and runs every check and test
#
# PYTHON picks the interpreter (3.10 to 3.12).

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt

.PHONY: try test clean

try: $(VENV)/.ready-to-try
	mkdir -p try
	cd try && ../$(BIN)/vastra-live run --report report.json

test: $(VENV)/.ready-to-test
	scripts/test-packages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-to-try: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "setting up $(VENV) (once; some hundred megabytes)"
	$(PIP) -e ".[demo]"
	touch $@

$(VENV)/.ready-to-test: $(VENV)/.ready-to-try
	@echo "setting up $(VENV) for the tests (once)"
	$(PIP) -e ".[demo,synthesis,dev]"
	touch $@

clean:
	rm -rf $(VENV) try build dist
