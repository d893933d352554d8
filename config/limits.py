"""What reading drawings may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What reading may take.

    Attributes:
        workers: processes side by side; 0 means one per core.
        timeout: seconds for one drawing.
        memory: gigabytes for one drawing; 0 means an even share of the machine's memory.
    """

    workers: int = 0
    timeout: float = 300.0
    memory: float = 0.0

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must be 0 or more, not {self.workers}")
        if not self.timeout > 0:
            raise ValueError(f"timeout must be more than 0 seconds, not {self.timeout}")
        if not self.memory >= 0:
            raise ValueError(f"memory must be 0 or more gigabytes, not {self.memory}")


USUAL = Limits()
