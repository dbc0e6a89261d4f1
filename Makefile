# Everything from a bare machine with Python >= 3.11. The environment is .venv.
PYTHON ?= python3
CORES ?= $(shell env -u OMP_NUM_THREADS nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help reproduce reference test test-other test-study test-slurm test-faults lint env env-dev env-romeo env-atlas env-slurm env-torch bench lock clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

reproduce: env ## install what is needed and run the default study: results/report.html
	$(BIN)/snakemake --cores $(CORES)

test: test-other test-study ## run all tests (make -j2 test: on two cores at once)

test-other: env-dev ## run the tests that need no whole study
	$(BIN)/python -m pytest -m "not workflow"

test-study: env-dev ## run the tests that run Snakemake on the small study
	$(BIN)/python -m pytest -m workflow

test-faults: env-dev ## run the long tests of what breaks a run: killed jobs, full disks, damaged files (some need root)
	$(BIN)/python -m pytest -m faults

test-slurm: env-dev ## run the small study on a Slurm started from Debian's packages (needs root)
	$(BIN)/python -m pytest -m slurm -s

lint: env-dev ## check format, style and types of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --lint

reference: env ## write config/config.yaml and docs/reference anew from the code
	$(BIN)/python -m qsmstudy.run.reference
	$(BIN)/python -m qsmstudy.stats.catalogue.reference

bench: env-dev ## measure accuracy and cost of the reconstruction (after `make reproduce`; 1 to 2 hours)
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python benchmarks/run.py all

env: .venv/.run ## install what a study needs, into .venv
env-dev: .venv/.dev ## install what the tests need as well

env-romeo: .venv/.run ## install ROMEO's unwrapping as well (warpkit, free for non-commercial use only)
	$(PIP) install --quiet --require-hashes -r envs/requirements-romeo.lock

env-slurm: .venv/.run ## install Snakemake's executor for Slurm as well
	$(PIP) install --quiet --require-hashes -r envs/requirements-slurm.lock

env-atlas: .venv/.run ## install SimpleITK as well, for labels by a registered atlas
	$(PIP) install --quiet --require-hashes -r envs/requirements-atlas.lock

env-torch: .venv/.run ## install PyTorch as well, for the solver on tensors (its tests; a graphics card)
	$(PIP) install --quiet torch==2.13.0

# The lock is installed first, with hashes; the package itself has none.
.venv/.run: envs/requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11")'
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(PIP) install --quiet --require-hashes -r envs/requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	touch $@

.venv/.dev: envs/requirements-dev.lock .venv/.run
	$(PIP) install --quiet --require-hashes -r envs/requirements-dev.lock
	touch $@

lock: ## write the locks and conda environments in envs/ again from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet pyproject.toml -o envs/requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --extra romeo -c envs/requirements.lock pyproject.toml -o envs/requirements-romeo.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --extra atlas -c envs/requirements.lock pyproject.toml -o envs/requirements-atlas.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --extra dev -c envs/requirements.lock pyproject.toml -o envs/requirements-dev.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --extra slurm -c envs/requirements.lock pyproject.toml -o envs/requirements-slurm.lock
	python3 envs/generate.py

clean: ## remove the results, not the environment
	rm -rf results
