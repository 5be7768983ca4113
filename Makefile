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

.PHONY: demo test lint format bench no-loss study-statistics study-scaling study-methods study-audience clean set-up

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
	$(BIN)/python benchmarks/studies.py methods sdc_fashion sdc_mnist sdc_cifar auto_fashion auto_mnist --hours $(HOURS)
	$(BIN)/python benchmarks/methods_results.py
	$(BIN)/python benchmarks/sdc_results.py

study-audience: $(READY)
	$(BIN)/python benchmarks/studies.py audience --hours $(HOURS)
	$(BIN)/python benchmarks/audience_results.py

clean:
	rm -rf $(VENV) runs .pytest_cache .mypy_cache .ruff_cache
