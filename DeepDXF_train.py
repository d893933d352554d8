"""Train DeepDXF, the sequence encoder, alone on what dataset/dxf_process.py wrote.

python DeepDXF_train.py --data_dir data --epochs 50 --n_folds 10
"""

from __future__ import annotations

from config.DeepDXF_config import DeepDXFConfig
from model.DeepDXF_dataset import DeepDXFData
from model.DeepDXF_task import DeepDXFTask
from utils.cli import run_script
from utils.DeepDXF_early_stopping import DeepDXFEarlyStopping
from utils.distributed.launch import across_processes
from utils.engine.cross_validation import CrossValidation


def main(config: DeepDXFConfig) -> None:
    CrossValidation(
        kind="deepdxf",
        config=config,
        data=DeepDXFData(config),
        build_task=DeepDXFTask,
        build_early_stopping=lambda setting: DeepDXFEarlyStopping(setting.patience, setting.min_delta),
    ).run()


if __name__ == "__main__":
    run_script(DeepDXFConfig, across_processes(main))
