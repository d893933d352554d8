"""Early stopping of GF: patient, on the node-level contrastive loss, which falls slowly and with noise."""

from utils.early_stopping import EarlyStopping


class GFEarlyStopping(EarlyStopping):
    """Watches the contrastive validation loss; labels play no part."""

    def __init__(self, patience: int = 20, min_delta: float = 0.0) -> None:
        super().__init__(patience, min_delta)
