# Everything happens in .venv, which is made on the first use of any target.
PYTHON ?= python3
# Compiled once, for all the processes that a test run starts, whatever the environment says.
export PYTHONDONTWRITEBYTECODE :=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
LOCALE := scheduler/locale

.PHONY: demo test soak lint bench messages posters clean

demo: $(READY)
	$(BIN)/gaung demo

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal

# The long proofs: kill -9 without end, and whatever else is marked so. CHAOS_KILLS=20 makes it shorter.
# SEEDS=1000 is how many simulated worlds (tests/simulation), SEED=5000 the first of them.
soak: $(READY)
	$(BIN)/python -m pytest -m soak -n 2

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python tests/bench/run.py $(ONLY)

# Collect the texts of the program, bring the Indonesian catalog up to date, and compile it.
messages: $(READY)
	$(BIN)/pybabel --quiet extract -F pyproject.toml -k N_ -k ngettext:1,2 --no-location --sort-output \
	  --project gaung --version "" -o $(VENV)/gaung.pot campaigns adapters scheduler
	$(BIN)/pybabel --quiet update -i $(VENV)/gaung.pot -D gaung -d $(LOCALE) --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel --quiet compile -D gaung -d $(LOCALE)

posters: $(READY)
	$(BIN)/python -m campaigns.examples.hakordia.posters

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	touch $(READY)

clean:
	rm -rf $(VENV)
