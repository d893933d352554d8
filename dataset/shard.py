"""One job's share of the drawings, for schedulers that start the same command many times."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Shard:
    """Share ``number`` of ``count``, counted from 1.

    A drawing's share depends on its id and ``count`` alone: more drawings change no other's, and jobs need not agree
    on anything while they run.
    """

    number: int = 1
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From ``i/n``. Raises ValueError if that is no share."""
        match = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise ValueError(f"shard must be i/n with 1 <= i <= n, such as 2/8, not {text}")
        return cls(int(match[1]), int(match[2]))

    def __contains__(self, source: str) -> bool:
        digest = hashlib.blake2b(source.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.number - 1

    @property
    def report_name(self) -> str:
        return "report.json" if self.count == 1 else f"report.{self.number}-of-{self.count}.json"
