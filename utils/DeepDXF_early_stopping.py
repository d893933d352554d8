"""Early stopping of DeepDXF: quick, on the NT-Xent loss of seeded validation views."""

from utils.early_stopping import EarlyStopping


class DeepDXFEarlyStopping(EarlyStopping):
    """Watches NT-Xent on validation views that differ (dropout stays on), so that the number means something."""

    def __init__(self, patience: int = 7, min_delta: float = 0.001) -> None:
        super().__init__(patience, min_delta)
