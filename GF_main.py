"""Train GF, the graph encoder, alone on what dataset/dxf_process.py wrote.

python GF_main.py --data_dir data --conv graphsage --epochs 50 --n_folds 10
"""

from __future__ import annotations

from config.GF_config import GFConfig
from model.GF_dataset import GFData
from model.GF_task import GFTask
from utils.cli import run_script
from utils.distributed.launch import across_processes
from utils.engine.cross_validation import CrossValidation
from utils.GF_early_stopping import GFEarlyStopping


def main(config: GFConfig) -> None:
    CrossValidation(
        kind="gf",
        config=config,
        data=GFData(config),
        build_task=GFTask,
        build_early_stopping=lambda setting: GFEarlyStopping(setting.patience, setting.min_delta),
        together=config.folds == "together",
    ).run()


if __name__ == "__main__":
    run_script(GFConfig, across_processes(main))
