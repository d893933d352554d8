"""Tiny tensors: a second thread only waits for the first, for seconds where other work shares the cores."""

import torch

torch.set_num_threads(1)
