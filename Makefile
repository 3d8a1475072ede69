# Two commands do all the set-up: "make lab" and "make test". Both build the environment in .venv once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FIRST := notebooks/01_computation_graphs.ipynb

# A container's root must say so to Jupyter; without a display it prints its address instead of opening a browser.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
NO_SCREEN := $(if $(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin,$(shell uname)),,--no-browser)

.PHONY: help lab test soak bench pages

help:
	@echo "make lab    open JupyterLab on the first notebook"
	@echo "make test   run every test"
	@echo "make soak   run the tests' random cases by the thousand"
	@echo "make bench  measure speed, as ratios within one run"
	@echo "make pages  write every page of the notebooks, with an index, into build/pages"

lab: $(VENV)/lab.done
	$(BIN)/jupyter lab $(AS_ROOT) $(NO_SCREEN) --LabApp.default_url=/lab/tree/$(FIRST)

test: $(VENV)/test.done
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

soak: $(VENV)/test.done
	BACKPROPLAB_SOAK=200 $(BIN)/python -m pytest tests/test_soak.py tests/test_page.py tests/test_explorer.py --capture=no --verbose -k "soak or random_states or behind"

bench: $(VENV)/test.done
	$(BIN)/python benchmarks/run.py

pages: $(VENV)/lab.done
	rm -rf build/pages
	$(BIN)/python -m backproplab.gallery notebooks build/pages

# uv, inside the environment, installs three times as fast as pip and shows what it does.
$(VENV)/%.done: pyproject.toml
	@echo "Making the environment in $(VENV), once; this takes a minute or less."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --python $(BIN)/python --editable ".[$*]"
	@touch $@
