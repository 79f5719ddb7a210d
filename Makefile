# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
# The jobs find the environment's programs first, as after `source .venv/bin/activate`.
export PATH := $(BIN):$(PATH)
export PYTHONNOUSERSITE := 1

# What the user names reaches Snakemake as it is written, whatever is in it: quoted for YAML, then for
# the shell, and never expanded.
unexport BIDS_DIR FILM A B OUT
# Blanks, for Snakemake strips quotes from the ends of a value.
quoted = '$(subst ','\'', '$(subst ','',$(value $(1)))' )'
plain = '$(subst ','\'',$(value $(1)))'
named = $(if $(value $(1)),$(2)=$(call quoted,$(1)))

.PHONY: help demo ds003688 check compare support-bundle unlock unit test test-all lint pesq bench cluster envs format clean

help:
	@echo "make demo   run the whole experiment on the built-in simulated data set"
	@echo "make ds003688 FILM=/path/film.mp4   fetch that data set and run the experiment on it, as far"
	@echo "            as can be without your copy of the film"
	@echo "make check  look at the data before anything runs: make check BIDS_DIR=/data FILM=/film.mp4"
	@echo "make compare A=results B=/other/results   two runs compared: settings, scores, maps"
	@echo "make support-bundle  logs and settings, without names and paths, for those who help"
	@echo "make unlock  after kill -9 or a power loss: then the same command goes on where it was"
	@echo "make unit   the unit tests alone: 3 minutes on two cores"
	@echo "make test   format, lint, unit, workflow and integration tests: 15 minutes"
	@echo "make test-all  and the whole study by conda, on SLURM and after kills: 30 minutes, for releases"
	@echo "make pesq   PESQ for the scores of sounds; needs a C compiler and Python's headers"
	@echo "make bench  measure the claims of docs/benchmarks.md, after make demo; some: ROWS='i3d.*'"
	@echo "make cluster  .venv-cluster: Snakemake as it runs on a cluster's login node"
	@echo "make envs   build every rule's conda environment now, with the conda on the PATH"
	@echo "make format lay out the code as the tests want it"

# pip's output goes to a log; what failed is one line.
pip = $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off $(1) >> $(VENV)/install.log 2>&1 \
	|| { echo "error: the installation failed: $$({ grep -iE '^ *(error|fatal)' $(VENV)/install.log || cat $(VENV)/install.log; } | tail -n 1); all of it is in $(VENV)/install.log" >&2; exit 1; }

$(VENV)/complete: requirements.txt requirements-no-deps.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $(PYTHON) is too old: Python 3.11 or newer is needed; name one with make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "error: $(PYTHON) cannot make virtual environments; install python3-venv" >&2; exit 1; }
	@echo "Installing $$(grep -vc '^#' requirements.txt) packages into $(VENV), once: 3 GB (8 GB where PyTorch comes for GPUs), 2 to 10 minutes."
	@$(PYTHON) -m venv $(VENV)
	@rm -f $(VENV)/install.log
	@$(call pip,-r requirements.txt)
	@$(call pip,--no-deps -r requirements-no-deps.txt)
	@touch $@

# Snakemake with the cluster's executors, which want another NumPy than the jobs: see docs/decisions.md.
$(VENV)-cluster/complete: profiles/requirements.txt
	@echo "Installing Snakemake for clusters into $(VENV)-cluster, once: 0.5 GB, a minute."
	@$(PYTHON) -m venv $(VENV)-cluster
	@$(VENV)-cluster/bin/python -m pip install --quiet --disable-pip-version-check --progress-bar off -r $<
	@touch $@

cluster: $(VENV)-cluster/complete

envs: cluster
	$(VENV)-cluster/bin/snakemake --profile profiles/conda --conda-create-envs-only

demo: $(VENV)/complete
	snakemake --cores all
	@python workflow/scripts/tell_planted.py --regions results/planted/regions.tsv

# The data set from the public archive, then the whole experiment on it with your copy of the film;
# without one, what its annotations can do.
ds003688: $(VENV)/complete
	@$(if $(value FILM),,echo "The film is not distributed with ds003688: what needs it is left out. With your copy: make ds003688 FILM=/path/film.mp4")
	snakemake --cores all -- fetch_ds003688
	snakemake --cores all --keep-going --config bids_dir=results/ds003688 $(call named,FILM,film)

# What is wrong with the data, all of it at once; CONFIG names further configuration files.
check: $(VENV)/complete
	@python workflow/scripts/validate_inputs.py --schema workflow/config.schema.yaml \
		--configfile config.yaml $(CONFIG) --config \
		$(call named,BIDS_DIR,bids_dir) $(call named,FILM,film)

# Two runs compared: make compare A=results B=/other/results, into the folder OUT.
OUT = comparison
compare: $(VENV)/complete
	@$(if $(and $(value A),$(value B)),,echo "error: name the results of two runs: make compare A=results B=/other/results" >&2; exit 1)
	@python workflow/scripts/compare_runs.py --a $(call plain,A) --b $(call plain,B) \
		--templates workflow/report/pages --out $(call plain,OUT)

# What is needed to help, without names and paths, in one file to be looked through and sent.
support-bundle: $(VENV)/complete
	@python workflow/scripts/bundle_support.py --folder . --requirements requirements.txt \
		--out support-bundle.zip

unlock: $(VENV)/complete
	snakemake --unlock

# As many workers as cores: threads that wait for each other, spinning, would take these from one another.
unit test test-all: export OMP_NUM_THREADS := 1
unit test test-all: export OMP_WAIT_POLICY := passive
# A file's tests run in one worker, in the order of tests/conftest.py: the dearest first.
pytest = $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/complete
	ruff format --check .
	ruff check .
	snakefmt --check Snakefile workflow/rules
	snakemake --lint

unit: $(VENV)/complete
	$(pytest) tests/unit

test: lint
	$(pytest) -m "not release" tests

test-all: lint cluster
	$(pytest) tests

# PESQ has no wheel.
pesq: $(VENV)/complete
	@$(call pip,-r requirements-compiled.txt)

ROWS ?= .*
bench: $(VENV)/complete cluster
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off -r bench/requirements.txt
	python bench/measure.py --rows "$(ROWS)"

format: $(VENV)/complete
	ruff format .
	ruff check --fix .
	snakefmt Snakefile workflow/rules

clean:
	rm -rf $(VENV) $(VENV)-cluster .snakemake
