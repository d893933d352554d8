"""A small archive with its index: ten made-up sheets, a small model."""

import numpy as np
import pytest
import torch

from config.DeepDXF_config import DeepDXFModelConfig
from config.joint_config import JointConfig
from config.limits import Limits
from config.run_config import to_dict
from dataset.dxf_process import ProcessConfig, load_drawing, process_drawings
from model.embedding import Embedder
from model.joint_task import JointTask
from search.folder import folder_writer
from search.index import Index
from search.indexing import update
from search.model_card import ModelCard
from tests.dataset.building import new_drawing, saved
from tests.evaluation.conftest import part
from utils.checkpoint import save_checkpoint

SMALL = DeepDXFModelConfig(d_model=16, n_layers=1, n_heads=2, d_feedforward=16, latent_size=16, sheet_size=8)


def model(path, drawings=(), seed=7):
    """A checkpoint of random weights, centred on some drawings."""
    config = JointConfig(deepdxf=SMALL)
    torch.manual_seed(seed)
    task = JointTask(config)

    def save(task):
        save_checkpoint(
            path, kind="joint", config=to_dict(config), model=task.state_dict(), metrics={}, info={"data": {}}
        )

    save(task)
    embedder = Embedder(path, torch.device("cpu"))
    embedder.settle([load_drawing(each) for each in drawings])
    save(embedder.task)
    return Embedder(path, torch.device("cpu"))


def make(folder):
    """Ten sheets: five shapes; 0 again in inches, 1 copied; one without any class of GF; one of one entity."""
    for number in range(5):
        saved(part(number), folder, f"customers/A/sheet {number}（旧）.dxf")
    saved(part(0, scale=1 / 25.4), folder, "customers/B/inches.dxf")
    (folder / "customers/B/copy.dxf").write_bytes((folder / "customers/A/sheet 1（旧）.dxf").read_bytes())
    saved(part(2, words=False), folder, "silent.dxf")
    solid, msp = new_drawing()
    msp.add_solid([(0, 0), (1, 0), (0, 1)])
    saved(solid, folder, "solid.dxf")
    line, msp = new_drawing()
    msp.add_line((0, 0), (10, 5))
    saved(line, folder, "one entity.dxf")
    return folder


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    return make(tmp_path_factory.mktemp("archive [a] <b>"))


@pytest.fixture(scope="session")
def embedder(archive, tmp_path_factory):
    return model(tmp_path_factory.mktemp("model") / "model.pth", sorted(archive.rglob("*.dxf")))


@pytest.fixture(scope="session")
def data(archive, tmp_path_factory):
    """The same, preprocessed: read without starting a process."""
    folder = tmp_path_factory.mktemp("data")
    process_drawings(ProcessConfig(archive, folder, workers=1))
    return folder


def indexed(path, archive, embedder, **options):
    with folder_writer(path, archive, ModelCard.of(embedder, "model.pth")) as writer:
        return update(writer, archive, embedder, Limits(workers=1), **options)


@pytest.fixture(scope="session")
def index(archive, embedder, tmp_path_factory):
    path = tmp_path_factory.mktemp("index") / "archive.idx"
    indexed(path, archive, embedder)
    return Index.open(path)


@pytest.fixture
def rng():
    return np.random.default_rng(5)
