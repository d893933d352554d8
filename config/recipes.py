"""Where a run's options start from, by name: what has measured best, or what the specification calls plain."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from config.DeepDXF_config import DeepDXFConfig, DeepDXFModelConfig
from config.GF_config import GFConfig
from config.joint_config import JointConfig
from config.run_config import Recipe, RunConfig

# the rows of entities alone, all of a drawing's in both views, two dropout masks
PLAIN_DEEPDXF = {"reads": "sequence", "views": "dropout", "max_view_entities": 0}
PLAIN_SCHEDULE = {"lr": 1e-4, "schedule": "plateau"}

REFERENCE: dict[type[RunConfig], Callable[[], RunConfig]] = {
    GFConfig: lambda: GFConfig(recipe="reference"),
    DeepDXFConfig: lambda: DeepDXFConfig(recipe="reference", **PLAIN_DEEPDXF),
    JointConfig: lambda: JointConfig(
        recipe="reference",
        deepdxf=DeepDXFModelConfig(**PLAIN_DEEPDXF),
        cross_modal_weight=0.0,
        **PLAIN_SCHEDULE,
    ),
}


def from_recipe(config_class: type[RunConfig], recipe: Recipe) -> RunConfig:
    """The options of a run by that recipe, before anybody changes one. ``best`` is what the configs say themselves."""
    return REFERENCE[config_class]() if recipe == "reference" else config_class()


def asked_for(config_class: type[RunConfig], arguments: Sequence[str]) -> RunConfig:
    """The same by the ``--recipe`` on a command line, which must be known before the other options have defaults.

    What is wrong with the command line is left to the parser of all of it.
    """
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--recipe", nargs="?")
    known, _ = parser.parse_known_args(arguments)
    return from_recipe(config_class, known.recipe)
