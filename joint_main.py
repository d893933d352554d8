"""Train GF and DeepDXF jointly on what dataset/dxf_process.py wrote.

    python joint_main.py --data_dir data --epochs 50 --n_folds 10

Writes checkpoints/best_model.pth (and the best model of each fold) and a folder under logs/ with the log, metrics,
curves and a summary.
"""

from __future__ import annotations

from config.joint_config import JointConfig
from joint_train import train_joint
from utils.cli import run_script
from utils.distributed.launch import across_processes


def main(config: JointConfig) -> None:
    train_joint(config)


if __name__ == "__main__":
    run_script(JointConfig, across_processes(main))
