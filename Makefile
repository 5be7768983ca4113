# Two commands: `make demo` (set-up and main job) and `make test`. Both need only Python >= 3.10 and make.
# On Linux a plain pip brings a CUDA build of PyTorch (gigabytes). For the small CPU build:
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= python3
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
READY := $(VENV)/ready
JOBS ?= 2

.PHONY: demo test lint format bench no-loss study-statistics study-scaling study-methods study-audience pages clean set-up

set-up: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 10) else "limbeck needs Python 3.10 or newer; this is %d.%d. Use: make PYTHON=python3.x ..." % sys.version_info[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(INDEX) -c constraints.txt -e '.[dev]'
	@touch $(READY)

demo: $(READY)
	@$(BIN)/limbeck demo --out runs/demo

test: $(READY)
	OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile

lint: $(READY)
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/mypy
	MYPYPATH=benchmarks $(BIN)/mypy --disable-error-code no-untyped-call benchmarks/*.py

format: $(READY)
	$(BIN)/ruff format src tests benchmarks examples
	$(BIN)/ruff check --fix src tests benchmarks examples

bench: $(READY)
	$(BIN)/python benchmarks/bench.py

no-loss: $(READY)
	$(BIN)/python benchmarks/no_loss.py

study-statistics: $(READY)
	$(BIN)/python benchmarks/study_statistics.py
	$(BIN)/python benchmarks/study_pooled.py
	$(BIN)/python benchmarks/laboratory_table.py

# The real studies need LIMBECK_DATA (the folder with fashionmnist/ and mnist/) and hours; HOURS stops them earlier.
HOURS ?= 24
study-scaling: $(READY)
	$(BIN)/python benchmarks/studies.py scaling_fashion scaling_mnist scaling_mlp --hours $(HOURS)
	$(BIN)/python benchmarks/laws_results.py

study-methods: $(READY)
	$(BIN)/python benchmarks/studies.py methods replication reasons sdc_grid sdc_fashion sdc_mnist sdc_cifar --hours $(HOURS)
	$(BIN)/python benchmarks/studies.py fifty pools cifar_cpu auto_fashion auto_mnist --hours $(HOURS)
	$(BIN)/python benchmarks/methods_results.py
	$(BIN)/python benchmarks/replication.py
	$(BIN)/python benchmarks/reasons.py
	$(BIN)/python benchmarks/sdc_results.py
	$(BIN)/python benchmarks/difficulty.py runs/methods runs/sdc_fashion runs/fifty
	$(BIN)/python benchmarks/pool_switch.py
	$(BIN)/python benchmarks/published_results.py

study-audience: $(READY)
	$(BIN)/python benchmarks/studies.py audience --hours $(HOURS)
	$(BIN)/python benchmarks/audience_results.py

# The pages of docs/ from the committed results, in a minute; tests/test_pages.py says whether they are up to date.
PAGES := methods_results replication reasons sdc_results difficulty pool_switch audience_results published_results fashion_results laws_results
pages: $(READY)
	for name in $(PAGES); do $(BIN)/python benchmarks/$$name.py > /dev/null || exit 1; done

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache
