"""Early stopping of joint training: one decision for both encoders, on their combined loss."""

from utils.early_stopping import EarlyStopping


class JointEarlyStopping(EarlyStopping):
    """Watches the combined validation loss, weighted as in training; neither encoder stops alone."""

    def __init__(self, patience: int = 20, min_delta: float = 0.0) -> None:
        super().__init__(patience, min_delta)
