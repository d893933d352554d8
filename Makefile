# Two commands do everything on a fresh machine (Debian, Python 3.11): `make train` and `make test`.
# Without make (Windows): see README, "By hand".

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

INPUT    ?=
DATA     ?= data
DRAWINGS ?= drawings
# paths reach the shell through its environment, so that no character in them means anything to make or the shell
export TRAIN_INPUT    := $(value INPUT)
export TRAIN_DATA     := $(value DATA)
export TRAIN_DRAWINGS := $(value DRAWINGS)
# small but honest: three folds, the held-out test, a checkpoint, curves
TRAIN_FLAGS ?= --epochs 10 --n_folds 3

.PHONY: env train test lint clean

env: $(BIN)/.ready

# torch first and pinned. Where the package index's Linux build of it brings CUDA packages that a box without a GPU
# does not need, name PyTorch's index of CPU builds: make env TORCH_FLAGS="--index-url ..."
TORCH_FLAGS ?=
$(BIN)/.ready: requirements.txt requirements-ray.txt requirements-eval.txt requirements-lamb.txt requirements-search.txt \
		requirements-faiss.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH_FLAGS) torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# exit status 3 of dxf_process.py means "some files were skipped, and the report names them": no reason not to train
train: env
	if [ -z "$$TRAIN_INPUT" ]; then $(BIN)/python dataset/dxf_generate.py --output "$$TRAIN_DRAWINGS"; fi
	$(BIN)/python dataset/dxf_process.py --input "$${TRAIN_INPUT:-$$TRAIN_DRAWINGS}" --output "$$TRAIN_DATA" --prune || [ $$? -eq 3 ]
	$(BIN)/python joint_main.py --data_dir "$$TRAIN_DATA" $(TRAIN_FLAGS)

test: env
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) data drawings
