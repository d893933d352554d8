"""A process that runs the entry scripts, and a small folder of preprocessed drawings."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from dataset.dxf_process_GF import gf_adjacency, gf_features
from dataset.entities import Extents, make_row
from dataset.storage import GraphRecord, SequenceRecord, write_graph, write_sequence


class Server:
    """Starts an entry script as a process of its own; see run_server.py."""

    def __init__(self, folder):
        self.output = folder / "output.txt"
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        script = Path(__file__).with_name("run_server.py")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
        self.process = subprocess.Popen([sys.executable, str(script)], **pipes)

    def run(self, cwd, *arguments, kill_when=None, file_limit=None, nproc=1):
        """Exit status; with ``kill_when`` all processes of the run are killed where that is first true.

        The run halts in every saving of its state: with the new file whole but without its name, and with it. Only
        there is asked. How busy the machine is does not change where it is killed.
        """
        halts = kill_when is not None
        child = self._start(cwd, arguments, self.output, file_limit=file_limit, nproc=nproc, halts=halts)
        if halts:
            self._watch(child, kill_when)
        return int(self.process.stdout.readline())

    @staticmethod
    def _watch(child, kill_when):
        """Kill it where it is to be killed, or is still there after five minutes."""
        deadline = time.monotonic() + 300
        try:
            while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
                if is_halted(child):
                    if kill_when():
                        break
                    os.killpg(child, signal.SIGCONT)
                time.sleep(0.0005)
        finally:
            with suppress(ProcessLookupError):  # it has come to its end
                os.killpg(child, signal.SIGKILL)

    @contextmanager
    def running(self, cwd, *arguments, until):
        """The number of a process that has been halted as soon as ``until`` was true; killed when the block ends."""
        child = self._start(cwd, arguments, self.output.with_name("halted.txt"), wait=False)
        try:
            deadline = time.monotonic() + 60
            while not until() and time.monotonic() < deadline:
                time.sleep(0.0005)
            os.kill(child, signal.SIGSTOP)
            yield child
        finally:
            os.kill(child, signal.SIGKILL)

    def _start(self, cwd, arguments, output, file_limit=None, nproc=1, wait=True, halts=False):
        order = {"cwd": str(cwd), "arguments": [*map(str, arguments)], "output": str(output), "halts": halts}
        self.process.stdin.write(json.dumps({**order, "file_limit": file_limit, "nproc": nproc, "wait": wait}) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def said(self):
        return self.output.read_text(encoding="utf-8")


def is_halted(process):
    """Whether it, or one that it has forked, is halted."""
    with suppress(OSError):  # it ends while it is looked at
        forked = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
        states = (Path(f"/proc/{each}/stat").read_text(encoding="utf-8") for each in (process, *forked))
        return any(state.rpartition(")")[2].split()[0] == "T" for state in states)
    return False


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.process.kill()
    server.process.wait()


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    """24 drawings of a few lines."""
    folder = tmp_path_factory.mktemp("data")
    extents = Extents(0, 0, 100, 100)
    for number in range(24):
        rng = np.random.default_rng(number)
        there = rng.random(10) < 0.7
        counts = rng.integers(0, 9, (10, 11)) * there[:, None]
        upper = np.triu(rng.integers(0, 2, (10, 10)) * there[:, None] * there, 1)
        edges = upper + upper.T
        source = f"{number}.dxf"
        graph = GraphRecord(gf_features(counts), gf_adjacency(edges), counts, edges, source, "cross")
        write_graph(folder / "GF" / f"{number}.h5", graph)
        rows = [make_row("LINE", {"x0": number, "y0": y, "x1": 50, "y1": 50}, extents) for y in range(3 + number)]
        sequence = SequenceRecord(np.stack(rows), source, extents, (), "cross", counts, edges)
        write_sequence(folder / "DeepDXF" / f"{number}.h5", sequence)
    return folder
