"""The recipes, as a command line chooses them."""

import pytest

from config.compare_config import CompareConfig
from config.DeepDXF_config import DeepDXFConfig
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.recipes import REFERENCE
from config.run_config import from_dict, to_dict
from utils.cli import parse

RUNS = [GFConfig, DeepDXFConfig, JointConfig]


def flat(config):
    """All options, those of an encoder by their path."""
    options = {}
    for key, value in to_dict(config).items():
        options |= {f"{key}.{name}": item for name, item in value.items()} if isinstance(value, dict) else {key: value}
    return options


def changed(config):
    """The options in which a config differs from the default."""
    best = flat(type(config)())
    return {name: value for name, value in flat(config).items() if value != best[name]}


@pytest.mark.parametrize("config_class", RUNS)
def test_best_is_the_default(config_class):
    assert parse(config_class, []) == parse(config_class, ["--recipe", "best"]) == config_class()
    assert config_class().recipe == "best"


@pytest.mark.parametrize("arguments", [["--recipe", "reference"], ["--recipe=reference"]])
def test_reference_changes_what_the_specification_calls_plain_and_nothing_else(arguments):
    plain = {"reads": "sequence", "views": "dropout", "max_view_entities": 0}
    assert changed(parse(GFConfig, arguments)) == {"recipe": "reference"}
    assert changed(parse(DeepDXFConfig, arguments)) == {"recipe": "reference", **plain}
    assert changed(parse(JointConfig, arguments)) == {
        "recipe": "reference",
        "cross_modal_weight": 0.0,
        "lr": 1e-4,
        "schedule": "plateau",
        **{f"deepdxf.{name}": value for name, value in plain.items()},
    }


def test_every_training_run_has_a_reference():
    assert set(REFERENCE) == set(RUNS)


@pytest.mark.parametrize("recipe_first", [True, False])
def test_what_is_said_explicitly_wins_over_the_recipe(recipe_first):
    recipe, others = ["--recipe", "reference"], ["--deepdxf.views", "both", "--cross_modal_weight", "1", "--seed", "7"]
    config = parse(JointConfig, recipe + others if recipe_first else others + recipe)
    assert (config.deepdxf.views, config.cross_modal_weight, config.seed) == ("both", 1.0, 7)
    assert (config.recipe, config.deepdxf.reads) == ("reference", "sequence")


def test_two_runs_by_one_recipe_share_nothing():
    one, two = (parse(JointConfig, ["--recipe", "reference"]) for _ in range(2))
    one.deepdxf.reads = "sheet"
    assert two.deepdxf.reads == "sequence"


@pytest.mark.parametrize("config_class", RUNS)
def test_the_recipe_is_recorded_with_the_options_it_led_to(config_class):
    config = parse(config_class, ["--recipe", "reference", "--epochs", "3"])
    assert to_dict(config)["recipe"] == "reference"
    assert from_dict(config_class, to_dict(config)) == config


@pytest.mark.parametrize("arguments", [["--recipe"], ["--recipe", "refrence"], ["--recip", "reference"]])
def test_a_misspelt_recipe_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(DeepDXFConfig, arguments)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "--recipe" in said
    assert "[--recipe" not in said, "the whole command line's parser speaks, not the one that looks for the recipe"


@pytest.mark.parametrize("config_class", RUNS)
def test_help_shows_the_recipes_and_the_values_of_the_one_asked_for(config_class, capsys):
    for recipe in ("best", "reference"):
        with pytest.raises(SystemExit) as stop:
            parse(config_class, ["--recipe", recipe, "--help"])
        assert stop.value.code == 0
        shown = "".join(capsys.readouterr().out.replace("│", "").split())
        assert "--recipe{best,reference}" in shown
        assert f"(default:{recipe})" in shown
        if config_class is not GFConfig:
            assert ("(default:dropout)" in shown) == (recipe == "reference")


def test_other_scripts_have_no_recipe(capsys):
    with pytest.raises(SystemExit):
        parse(CompareConfig, ["--file1", "a", "--file2", "b", "--recipe", "reference"])
    assert "--recipe" in capsys.readouterr().err
