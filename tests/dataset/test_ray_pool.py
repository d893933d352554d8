"""Ray does what the local pool does, with the same outputs and the same words, on a real cluster of this machine."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from config.errors import UserError
from dataset.dxf_process import ProcessConfig, process_drawings
from dataset.in_order import in_order
from dataset.pool import AHEAD
from dataset.ray_pool import Job, RayPool, run_on_ray
from tests.dataset.building import new_drawing, saved
from tests.dataset.test_pool import GIGABYTE, behave, kill_and_see_nothing_left, large_file, task

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="--ray needs requirements-ray.txt, which is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="Ray's clusters are Linux machines"),
]


def misbehave(task):
    """What only a Ray worker can meet, and what a good library should never do; the rest as for the local pool."""
    match task.source.partition(" ")[0]:
        case "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "lost":
            os.kill(os.getppid(), signal.SIGKILL)  # the Ray worker itself
            time.sleep(60)
    return behave(task)


@pytest.fixture(scope="module", autouse=True)
def own_token():
    """Clusters that only these tests can use. Ray looks at this when it is imported, and else makes a file at home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield


@pytest.fixture(scope="module")
def cluster(own_token, tmp_path_factory):
    """The address of a cluster of two cores that knows where the tests are."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", f"--port={port}"]
    command += ["--num-cpus=2", "--include-dashboard=false", "--disable-usage-stats", "--object-store-memory=100000000"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    with (tmp_path_factory.mktemp("ray") / "log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + 120
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None and time.monotonic() < deadline, Path(log.name).read_text()
            time.sleep(0.2)
        yield f"127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def archive(folder):
    """Drawings in sub-folders, with hostile files among them."""
    for i in range(6):
        document, space = new_drawing()
        for x in range(i + 2):
            space.add_line((x, 0), (x, 5))
            space.add_circle((x, 0), 1)
        saved(document, folder, f"lot {i % 2}（旧）/sheet [{i}].dxf")
    (folder / "no drawing.dxf").write_bytes(b"\x00\x01")
    (folder / "empty.dxf").write_bytes(b"")
    large_file(folder / "too long.dxf", 500_000)
    return folder


def written(folder):
    """Every file below a folder; of a report what does not depend on the clock."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    report = json.loads(files.pop("report.json").read_text(encoding="utf-8"))
    for file in report["files"]:
        del file["seconds"]
    del report["totals"]["seconds"]
    return report, {name: tensors(path) for name, path in files.items()}


def tensors(path):
    import h5py

    with h5py.File(path) as file:
        attributes = {name: str(value) for name, value in file.attrs.items() if name != "report"}
        return attributes, {name: array[()].tolist() for name, array in file.items()}


def test_the_same_outputs_and_report_as_the_local_pool_and_nothing_to_do_again(cluster, tmp_path, monkeypatch):
    drawings = archive(tmp_path / "in")
    monkeypatch.chdir(tmp_path)  # where the cluster's workers are not: relative paths must reach them whole
    here = ProcessConfig(drawings, Path("here"), workers=2, timeout=3.0)
    there = ProcessConfig(Path("in"), Path("there"), timeout=3.0, ray=cluster)
    handler = signal.getsignal(signal.SIGTERM)
    assert process_drawings(here).statuses == process_drawings(there).statuses == {"read": 6, "skipped": 3}
    assert signal.getsignal(signal.SIGTERM) is handler, "Ray leaves its own"
    assert written(tmp_path / "here") == written(tmp_path / "there")

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "there").rglob("*.h5")}
    again = process_drawings(there)
    assert again.statuses == {"unchanged": 6, "skipped": 3}
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "there").rglob("*.h5")}
    assert not list((tmp_path / "there").rglob("*.partial"))


def test_one_file_in_trouble_costs_only_itself_and_says_so(cluster, tmp_path):
    troubles = {
        "hang": "took longer than 3 s (--timeout)",
        "crash": "exit code 7",
        "segfault": "exit code -11",
        "killed": "out of memory",
        "hungry": "more than 1 GB of memory (--memory)",
        "broken": "what a mess",
        "lost": "the Ray worker reading it was lost",
    }
    sources = [name for i, trouble in enumerate(troubles) for name in (f"good {i}", trouble, f"fine {i}")]
    found = list(run_on_ray(map(task, sources), cluster, tmp_path, 0, 3, GIGABYTE, misbehave))
    assert [file.source for file in found] == sources
    for file in found:
        trouble = troubles.get(file.source)
        assert file.status == ("skipped" if trouble else "read"), file
        assert not trouble or trouble in file.reason


def test_a_full_disk_fails_the_run(cluster, tmp_path):
    with pytest.raises(OSError, match="No space left") as failure:
        list(run_on_ray(map(task, ["good", "full", "fine"]), cluster, tmp_path, 0, 60, GIGABYTE, misbehave))
    assert failure.value.errno == 28


def test_a_node_that_does_not_see_the_outputs_fails_the_run(cluster, tmp_path):
    pool = RayPool(cluster, 0, Job(tmp_path / "elsewhere", 60, GIGABYTE, misbehave))
    assert pool.capacity == 2 * AHEAD, "two cores"
    with pytest.raises(UserError, match="storage that all nodes"):
        list(in_order(map(task, ["good"]), pool))


def test_nodes_without_this_program_s_packages_fail_the_run(cluster, tmp_path):
    def unknown():
        """Stands for a function whose module the nodes lack."""

    unknown.__module__, unknown.__qualname__ = "no_such_package", "unknown"
    sys.modules["no_such_package"] = type(sys)("no_such_package")
    sys.modules["no_such_package"].unknown = unknown
    try:
        with pytest.raises(UserError, match=r"cannot run this program.*no_such_package"):
            list(run_on_ray([task("good")], cluster, tmp_path, 0, 60, GIGABYTE, unknown))
    finally:
        del sys.modules["no_such_package"]


def test_nothing_of_a_killed_run_stays_behind(cluster, tmp_path):
    """The process that hangs in a drawing has lost its Ray worker, which has lost its driver."""
    script = f"""
from pathlib import Path
from dataset.ray_pool import run_on_ray
from tests.dataset.test_pool import sleep_and_tell, task
list(run_on_ray([task("told")], {cluster!r}, Path(), 0, 600, 0, sleep_and_tell))
"""
    kill_and_see_nothing_left(script, tmp_path)


@pytest.mark.parametrize(("address", "reason"), [("127.0.0.1:1", "no Ray cluster answers"), ("here", "host:port")])
def test_an_address_that_leads_nowhere(tmp_path, address, reason):
    with pytest.raises(UserError, match=reason):
        list(run_on_ray([task("good")], address, tmp_path, 0, 60, GIGABYTE))


def test_a_cluster_for_this_run_from_the_command_line(tmp_path):
    document, space = new_drawing()
    space.add_line((0, 0), (1, 1))
    for name in ("a.dxf", "b.dxf"):
        saved(document, tmp_path / "in", name)
    (tmp_path / "in" / "c.dxf").write_text("rubbish")
    (tmp_path / "utils").mkdir()  # a package of that name here must not be taken for ours
    (tmp_path / "utils" / "__init__.py").write_text("raise ImportError('foreign')")
    command = [
        sys.executable,
        str(ROOT / "dataset/dxf_process.py"),
        "--input",
        "in",
        "--ray",
        "local",
        "--workers",
        "1",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 3, done.stderr
    assert "2 read" in done.stdout and "c.dxf" in done.stdout
    assert "INFO" not in done.stderr and "usage" not in done.stderr.lower(), "no word of Ray's own"
    assert sorted(path.name for path in (tmp_path / "data" / "GF").iterdir()) == ["a.h5", "b.h5"]
