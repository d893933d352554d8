"""Runs entry scripts in processes of their own that need not import torch anew: one process imports all, and forks.

A line on standard input is JSON: ``arguments`` (the script first), ``cwd``, ``output`` (a file), ``file_limit`` (bytes,
or null), ``nproc`` (processes that share the run, as torchrun would start them), ``halts`` (whether it stops itself at
every saving of its state, until somebody lets it go on) and ``wait``. For each it prints the number of the process,
which leads a group of its own, and, if it is to wait for its end, its exit status. A run of one process that asks for a
network fails.
"""

import json
import os
import resource
import runpy
import signal
import socket
import sys
from pathlib import Path

import matplotlib.backends.backend_agg
import matplotlib.figure
import torch._dynamo  # optimizers import it late

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)
import GF_main  # noqa: E402
import joint_main  # noqa: E402

LOADED = (GF_main, joint_main, matplotlib, torch)


def work(order):
    output = os.open(order["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if order["nproc"] > 1:
        join(order["nproc"])
    else:
        sys.addaudithook(without_network)
    if order["halts"]:
        sys.addaudithook(halt_where_saved)
    os.chdir(order["cwd"])
    if order["file_limit"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_limit"],) * 2)
    sys.argv = order["arguments"]
    runpy.run_path(str(ROOT / sys.argv[0]), run_name="__main__")


def without_network(event, _):
    """An audit hook: whatever looks up a host or connects to one is an error."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise RuntimeError(f"the run asked for a network: {event}")


def halt_where_saved(event, arguments):
    """An audit hook: stop before a state of the run gets its name, and behind that, before files are removed."""
    if event in ("os.rename", "os.remove") and Path(os.fsdecode(arguments[0])).name.startswith("resume_"):
        os.kill(os.getpid(), signal.SIGSTOP)


def join(size):
    """Fork into the processes of one run; the one that was there waits for them and ends as they do."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    for rank in range(size):
        if os.fork() == 0:
            places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
            os.environ.update({name: str(place) for name, place in places.items()}, MASTER_ADDR="localhost")
            return
    sys.exit(max(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(size)))


def main():
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            try:
                work(order)
            except SystemExit as stop:
                os._exit(stop.code or 0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        if order["wait"]:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
