import json

import pytest
import torch
import tyro

from config.DeepDXF_config import DeepDXFConfig
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.recipes import from_recipe
from config.run_config import from_dict, to_dict

CONFIGS = [GFConfig, DeepDXFConfig, JointConfig]


@pytest.mark.parametrize("config_class", CONFIGS)
def test_defaults_are_the_specifications(config_class):
    config = config_class()
    assert (config.epochs, config.n_folds, config.test_fraction) == (50, 10, 0.2)
    assert from_recipe(config_class, "reference").lr == 1e-4


def test_the_encoders_defaults_are_the_specifications():
    gf, deepdxf, joint = GFConfig(), DeepDXFConfig(), JointConfig()
    assert (gf.widths, gf.perspectives, gf.tau, gf.batch_size, gf.patience) == ((100, 100, 100), 100, 0.7, 128, 20)
    assert (gf.feature_drop_1, gf.feature_drop_2, gf.edge_drop_1, gf.edge_drop_2) == (0.3, 0.4, 0.2, 0.2)
    network = (deepdxf.d_model, deepdxf.n_layers, deepdxf.n_heads, deepdxf.d_feedforward, deepdxf.latent_size)
    assert network == (256, 4, 8, 512, 256)
    assert (deepdxf.dropout, deepdxf.latent_dropout, deepdxf.temperature) == (0.2, 0.1, 0.07)
    assert (deepdxf.patience, deepdxf.min_delta) == (7, 0.001)
    assert joint.gf_batch_pairs == 45


@pytest.mark.parametrize("config_class", CONFIGS)
def test_a_saved_config_comes_back_through_json_and_weights_only(config_class, tmp_path):
    config = config_class(data_dir=tmp_path / "with space", seed=7)
    plain = to_dict(config)
    assert from_dict(config_class, json.loads(json.dumps(plain))) == config
    torch.save(plain, tmp_path / "config.pth")
    assert from_dict(config_class, torch.load(tmp_path / "config.pth", weights_only=True)) == config


def test_an_unknown_key_is_an_error():
    with pytest.raises(ValueError, match="no_such_option"):
        from_dict(GFConfig, {"no_such_option": 1})


@pytest.mark.parametrize(
    ("config_class", "wrong"),
    [
        (GFConfig, {"filters": "100_x"}),
        (GFConfig, {"conv": "ggnn", "filters": "100_50"}),
        (GFConfig, {"tau": 0.0}),
        (GFConfig, {"batch_size": 1}),
        (GFConfig, {"n_folds": 0}),
        (GFConfig, {"accumulation_steps": 0}),
        (DeepDXFConfig, {"d_model": 30, "n_heads": 8}),
        (DeepDXFConfig, {"views": "dropout", "dropout": 0.0, "latent_dropout": 0.0}),
        (JointConfig, {"deepdxf_batch": 1}),
        (JointConfig, {"cross_modal_weight": -1.0}),
    ],
)
def test_what_cannot_work_is_refused_at_once(config_class, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        config_class(**wrong)


def test_the_command_line_is_the_config():
    arguments = ["--gf.conv", "gin", "--deepdxf.views", "drawing", "--n_folds", "1", "--weighting", "grad_norm"]
    config = tyro.cli(JointConfig, args=arguments, use_underscores=True)
    assert (config.gf.conv, config.deepdxf.views, config.n_folds) == ("gin", "drawing", 1)
    assert config.weighting == "grad_norm"
    flat = tyro.cli(GFConfig, args=["--conv", "ggnn"], use_underscores=True)
    assert flat.conv == "ggnn"
