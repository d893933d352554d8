"""Joint training: both encoders, one optimizer, one early stopping decision per fold."""

from __future__ import annotations

from typing import Any

from config.joint_config import JointConfig
from model.joint_dataset import JointDataLoader
from model.joint_task import JointTask
from utils.engine.cross_validation import CrossValidation
from utils.joint_early_stopping import JointEarlyStopping


def train_joint(config: JointConfig) -> dict[str, Any]:
    """Run the folds and the held-out test; returns the summary that also lies in the run's log folder.

    Raises:
        UserError: no data, too few drawings, an unknown device.
        NonFiniteError: a loss or gradient became NaN or infinite.
    """
    return CrossValidation(
        kind="joint",
        config=config,
        data=JointDataLoader(config),
        build_task=JointTask,
        build_early_stopping=lambda setting: JointEarlyStopping(setting.patience, setting.min_delta),
    ).run()
