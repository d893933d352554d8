"""EvalDXF.py as a user types it, on a small generated set and a small model."""

import json
import re
from html.parser import HTMLParser
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image

from config.DeepDXF_config import DeepDXFModelConfig
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.run_config import to_dict
from dataset.dxf_process import load_drawing
from model.embedding import Embedder
from model.GF_task import GFTask
from model.joint_task import JointTask
from tests.test_commands import run
from utils.checkpoint import save_checkpoint

SMALL = DeepDXFModelConfig(d_model=32, n_layers=1, n_heads=2, d_feedforward=32)
PICTURED = ["hog", "orb"] if find_spec("skimage") else []
BASELINES = {"counts_aspect", "raw_gf", "phash", "tfidf", "random", *PICTURED}
ENCODERS = {"joint", "gf", "deepdxf"}
METRICS = {"mAP@10", "Recall@10", "NDCG@10", "Recall@1"}


def checkpoint(path, kind, config, task_class):
    torch.manual_seed(7)
    save(path, kind, config, task_class(config))


def save(path, kind, config, task):
    save_checkpoint(path, kind=kind, config=to_dict(config), model=task.state_dict(), metrics={}, info={"data": {}})


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate (2024)（旧） copy")
    run("dataset/dxf_generate.py", "--output", "set", "--families", 4, "--per_family", 4, "--seed", 2, cwd=folder)
    checkpoint(folder / "gf.pth", "gf", GFConfig(), GFTask)
    config = JointConfig(deepdxf=SMALL)
    checkpoint(folder / "joint.pth", "joint", config, JointTask)
    embedder = Embedder(folder / "joint.pth", torch.device("cpu"))
    embedder.settle([load_drawing(path) for path in sorted((folder / "set").rglob("*.dxf"))])
    save(folder / "joint.pth", "joint", config, embedder.task)
    return folder


def evaluate(workplace, *options, groups="set/groups.json", model="joint.pth", expect=0):
    where = ("--archive", "set", "--groups", groups, "--model_path", model, "--workers", 1)
    return run("EvalDXF.py", *where, *options, cwd=workplace, expect=expect)


@pytest.fixture(scope="module")
def measured(workplace):
    done = evaluate(
        workplace, "--truth", "set/truth.json", "--json", "out/s.json", "--html", "s.html", "--png", "s.png"
    )
    return done, json.loads((workplace / "out" / "s.json").read_text(encoding="utf-8"))


def test_every_method_has_every_score_with_an_interval(measured):
    _, found = measured
    untrained = {f"untrained_{name}" for name in ENCODERS}
    assert set(found["scores"]) == ENCODERS | untrained | BASELINES
    for method, scores in found["scores"].items():
        assert set(scores) == METRICS
        for metric, value in scores.items():
            low, high = found["intervals"][method][metric]
            assert 0 <= low <= value <= high <= 1
    assert (found["drawings"], found["queries"]) == (16, 16)
    assert found["skipped"] == found["missing"] == {}
    assert found["scores"]["random"]["Recall@1"] == pytest.approx(3 / 15)


def test_scores_by_group_average_to_the_whole(measured):
    _, found = measured
    assert [len(group["files"]) for group in found["groups"]] == [4] * 4
    for method in found["scores"]:
        mean = np.mean([group["scores"][method]["mAP@10"] for group in found["groups"]])
        assert mean == pytest.approx(found["scores"][method]["mAP@10"])
    gain = found["gain"]
    over = found["scores"][gain["over"]]["mAP@10"]
    assert gain["difference"] == pytest.approx(found["scores"]["joint"]["mAP@10"] - over)
    assert over == max(found["scores"][name]["mAP@10"] for name in BASELINES)


def test_originals_are_looked_for_by_edit(measured, workplace):
    _, found = measured
    truth = json.loads((workplace / "set" / "truth.json").read_text(encoding="utf-8"))["files"]
    edited = [file for file in truth if file["original"]]
    originals = found["originals"]
    assert originals["queries"] == len(edited) == 8
    assert set(originals["scores"]["joint"]) == {"Recall@1", "MRR", "Recall@10"}
    assert originals["scores"]["random"]["Recall@1"] == pytest.approx(1 / 15)
    assert set(originals["edits"]) == {edit["name"] for file in edited for edit in file["edits"]}


def test_the_table_says_what_the_json_says(measured):
    done, found = measured
    table = dict(re.findall(r"^\| \**(\w+)\** \| (\d\.\d+) ", done.stdout, re.MULTILINE))
    first = done.stdout[: done.stdout.index("by group")]
    for method, scores in found["scores"].items():
        assert f"{scores['mAP@10']:.3f}" in re.search(rf"\| \**{method}\** \|([^|]*)\|", first)[1], method
    ranked = re.findall(r"^\| \**(\w+)\** \| (\d\.\d+)", first, re.MULTILINE)
    values = [float(value) for _, value in ranked]
    assert values == sorted(values, reverse=True)
    assert table


def test_it_says_whether_the_model_s_shares_hold_here(measured, workplace):
    done, found = measured
    assert set(found["calibration"]["training"]) == ENCODERS
    assert found["calibration"]["search"] == {}, "fifteen drawings are too few to ask half of them"
    for calibration in found["calibration"]["training"].values():  # the model was settled on these very drawings
        assert calibration["mean"] == pytest.approx(0.5, abs=0.02) and 0 < calibration["ks"] < 0.03
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("Calibration ")]
    joint = found["calibration"]["training"]["joint"]
    assert f"x is {100 * joint['mean']:.1f} on average" in line and f"{joint['ks']:.3f} from uniform" in line
    never = evaluate(workplace, "--json", "never.json", model="gf.pth")
    assert "Calibration" not in never.stdout
    assert json.loads((workplace / "never.json").read_text(encoding="utf-8"))["calibration"] == {
        "training": {},
        "search": {},
    }


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.classes, self.words, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.classes += [value for name, value in attributes if name == "class"]
        self.links += [value for name, value in attributes if name in ("src", "href")]

    def handle_data(self, data):
        self.words.append(data)


def test_the_contact_sheet_needs_nothing_else(measured, workplace):
    text = (workplace / "s.html").read_text(encoding="utf-8")
    page = Page(text)
    assert page.links == []
    assert not re.findall(r"url\((?!data:image/png;base64,)", text) and "<script" not in text
    assert page.classes.count("query") == 2 * 16, "every query by the model and by the best baseline"
    assert page.classes.count("right") + page.classes.count("wrong") == 2 * 16 * 10
    shown = " ".join(page.words)
    for group in json.loads((workplace / "set" / "groups.json").read_text(encoding="utf-8")):
        assert all(name in shown for name in group)
    with Image.open(workplace / "s.png") as picture:
        green = (np.asarray(picture) == (23, 128, 61)).all(axis=2)
        assert green.sum() > 100 and picture.size[0] > 11 * 128


def test_the_same_twice_and_from_the_cache(measured, workplace):
    _, first = measured
    evaluate(workplace, "--truth", "set/truth.json", "--json", "again.json")
    assert json.loads((workplace / "again.json").read_text(encoding="utf-8")) == first


def test_a_model_of_one_encoder(workplace):
    evaluate(workplace, "--json", "gf.json", "--k", 3, model="gf.pth")
    found = json.loads((workplace / "gf.json").read_text(encoding="utf-8"))
    assert set(found["scores"]) == {"gf", "untrained_gf"} | BASELINES
    assert set(found["scores"]["gf"]) == {"mAP@3", "Recall@3", "NDCG@3", "Recall@1"}
    assert found["gain"]["of"] == "gf"
    assert found["originals"] is None


def test_names_that_are_nowhere_are_named_and_the_rest_is_measured(workplace):
    group = json.loads((workplace / "set" / "groups.json").read_text(encoding="utf-8"))[0]
    content = [[*group[:3], "nowhere（无）.dxf"], ["alone.dxf"]]
    (workplace / "odd.json").write_text(json.dumps(content), encoding="utf-8")
    done = evaluate(workplace, "--json", "odd_scores.json", groups="odd.json", expect=3)
    assert "nowhere（无）.dxf is not in the archive" in done.stderr
    assert "2 names" in done.stderr
    found = json.loads((workplace / "odd_scores.json").read_text(encoding="utf-8"))
    assert set(found["missing"]) == {"nowhere（无）.dxf", "alone.dxf"}
    assert found["queries"] == 3
    assert found["intervals"]["joint"]["mAP@10"] is None, "one group has no interval"


def test_what_cannot_be_measured_is_said_in_one_sentence(workplace):
    (workplace / "none.json").write_text('[["a.dxf", "b.dxf"]]', encoding="utf-8")
    for options in ({"groups": "none.json"}, {"groups": "no_such.json"}, {"model": "no_such.pth"}):
        done = evaluate(workplace, **options, expect=1)
        assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr
