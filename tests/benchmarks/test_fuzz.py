"""A bounded fuzz run finds nothing, and would find what it is for."""

import random

import pytest

from benchmarks import fuzz
from benchmarks.fuzz import OF_BYTES, OF_LINES, WRONG, FuzzConfig, compare, damaged
from dataset import reading
from dataset.worker import FileReport, Task
from tests.dataset.building import new_drawing, saved


def test_a_short_run_finds_nothing_wrong(tmp_path, capsys):
    config = FuzzConfig(count=40, seed=7, workers=1, keep=tmp_path / "kept", json=tmp_path / "figures.json")
    assert fuzz.main(config) == 0
    assert not config.keep.exists() and config.json.is_file()
    table = capsys.readouterr().out
    assert "40 damaged copies of 5 drawings" in table and all(f"| {wrong} | 0 |" in table for wrong in WRONG)


def test_each_damage_changes_the_file_and_is_the_same_for_a_seed():
    content = b"\n".join(b"%d\nvalue %d" % (i, i) for i in range(1000))
    for kind in (*OF_BYTES, *OF_LINES):
        made = []
        for seed in (1, 1, 2):
            copy = bytearray(content)
            kind(copy, random.Random(seed))
            made.append(bytes(copy))
        assert made[0] == made[1] and content != made[0] != made[2], kind.__name__
    kinds = {damaged(content, random.Random(seed))[1] for seed in range(200)}
    assert kinds == {kind.__name__ for kind in (*OF_BYTES, *OF_LINES)}


@pytest.fixture
def task(tmp_path):
    document, space = new_drawing()
    for i in range(5):
        space.add_line((i, 0), (i, 5))
    path = saved(document, tmp_path)
    return Task(path, path.name, tmp_path / "s.h5", tmp_path / "g.h5", "cross")


def test_a_reader_that_loses_an_entity_is_a_silent_loss(task, monkeypatch, tmp_path):
    assert compare(task).reason == ""
    honest = reading.read_fast

    def forgetful(path):
        document = honest(path)
        document.modelspace().delete_entity(document.modelspace()[-1])
        return document

    monkeypatch.setattr(reading, "read_fast", forgetful)
    theirs = compare(task)
    assert theirs.reason == "entities: -1 LINE"
    findings, config = fuzz.Findings(), FuzzConfig(keep=tmp_path / "kept")
    read = FileReport(task.source, "read", represented={"LINE": 4})
    fuzz._judge(read, theirs, task.path.parent, "flip_bytes", findings, config)
    assert findings.wrong["silent loss"] == findings.wrong.total() == 1
    assert (config.keep / task.source).read_bytes() == task.path.read_bytes()
    assert "entities: -1 LINE" in (config.keep / "what.txt").read_text()


@pytest.mark.parametrize(
    ("reason", "wrong"),
    [
        ("the process reading it crashed (exit code 7)", "crashed"),
        ("took longer than 60 s (--timeout)", "hung"),
        ("needs more than 2 GB of memory (--memory)", "out of memory"),
        ("the process reading it was killed, probably because the machine ran out of memory", "out of memory"),
        (fuzz.NO_WORD, "missing"),
        ("damaged, and nothing could be recovered: DXFStructureError: missing ENDSEC tag.", ""),
    ],
)
def test_what_the_pool_says_is_counted_as_what_it_is(reason, wrong):
    assert fuzz._failure(FileReport("a.dxf", "skipped", reason)) == wrong
