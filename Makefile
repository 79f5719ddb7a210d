# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
# The jobs find the environment's programs first, as after `source .venv/bin/activate`.
export PATH := $(BIN):$(PATH)
export PYTHONNOUSERSITE := 1

# What the user names reaches Snakemake as it is written, whatever is in it: quoted for YAML, then for
# the shell, and never expanded.
unexport BIDS_DIR FILM
# Blanks, for Snakemake strips quotes from the ends of a value.
quoted = '$(subst ','\'', '$(subst ','',$(value $(1)))' )'
named = $(if $(value $(1)),$(2)=$(call quoted,$(1)))

.PHONY: help demo ds003688 check unlock test unit bench cluster envs format clean

help:
	@echo "make demo   run the whole experiment on the built-in simulated data set"
	@echo "make ds003688 FILM=/path/film.mp4   fetch that data set and run the experiment on it"
	@echo "make check  look at the data before anything runs: make check BIDS_DIR=/data FILM=/film.mp4"
	@echo "make unlock  after kill -9 or a power loss: then the same command goes on where it was"
	@echo "make test   format, lint, unit, workflow and integration tests"
	@echo "make unit   the unit tests alone"
	@echo "make bench  measure the claims of docs/benchmarks.md, after make demo; some: ROWS='i3d.*'"
	@echo "make cluster  .venv-cluster: Snakemake as it runs on a cluster's login node"
	@echo "make envs   build every rule's conda environment now, with the conda on the PATH"
	@echo "make format lay out the code as the tests want it"

$(VENV)/complete: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is too old: Python 3.11 or newer is needed; name one with make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "error: $(PYTHON) cannot make virtual environments; install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off -r requirements.txt
	@touch $@

# Snakemake with the cluster's executors, which want another NumPy than the jobs: see docs/decisions.md.
$(VENV)-cluster/complete: profiles/requirements.txt
	$(PYTHON) -m venv $(VENV)-cluster
	$(VENV)-cluster/bin/python -m pip install --quiet --disable-pip-version-check --progress-bar off -r $<
	@touch $@

cluster: $(VENV)-cluster/complete

envs: cluster
	$(VENV)-cluster/bin/snakemake --profile profiles/conda --conda-create-envs-only

demo: $(VENV)/complete
	snakemake --cores all

# The data set from the public archive, then the whole experiment on it with your copy of the film.
ds003688: $(VENV)/complete
	$(if $(value FILM),,$(error the film is not distributed with ds003688: make ds003688 FILM=/path/film.mp4))
	snakemake --cores all -- fetch_ds003688
	snakemake --cores all --keep-going --config bids_dir=results/ds003688 $(call named,FILM,film)

# What is wrong with the data, all of it at once; CONFIG names further configuration files.
check: $(VENV)/complete
	@python workflow/scripts/validate_inputs.py --schema workflow/config.schema.yaml \
		--configfile config.yaml $(CONFIG) --config \
		$(call named,BIDS_DIR,bids_dir) $(call named,FILM,film)

unlock: $(VENV)/complete
	snakemake --unlock

# As many workers as cores: threads that wait for each other, spinning, would take these from one another.
test unit: export OMP_NUM_THREADS := 1
test unit: export OMP_WAIT_POLICY := passive

test: $(VENV)/complete cluster
	ruff format --check .
	ruff check .
	snakefmt --check Snakefile workflow/rules
	snakemake --lint
	python -m pytest tests --numprocesses 2 --dist loadfile

ROWS ?= .*
bench: $(VENV)/complete cluster
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off -r bench/requirements.txt
	python bench/measure.py --rows "$(ROWS)"

unit: $(VENV)/complete
	python -m pytest tests/unit --numprocesses 2 --dist loadfile

format: $(VENV)/complete
	ruff format .
	ruff check --fix .
	snakefmt Snakefile workflow/rules

clean:
	rm -rf $(VENV) $(VENV)-cluster .snakemake
