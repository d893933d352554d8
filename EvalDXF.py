"""Measure how well a model finds what experts call alike, beside what a person would try first.

python EvalDXF.py --archive DRAWINGS --groups groups.json --model_path checkpoints/best_model.pth --html sheet.html
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from config.errors import UserError
from config.eval_config import EvalConfig
from config.frame import ASKED, FEWEST
from utils.cli import run_script
from utils.files import atomic_path, require_writable, write_json

if TYPE_CHECKING:  # the reading processes import this file again: torch would cost each of them seconds and memory
    from evaluation.evaluation import Evaluation

EXIT_COMPLETE, EXIT_INCOMPLETE = 0, 3


def main(config: EvalConfig) -> int:
    from evaluation.report import as_data, as_markdown, complaints

    for option in ("json", "html", "png"):
        if (path := getattr(config, option)) is not None:
            require_writable(path.parent, f"--{option}")
    evaluation = evaluate(config)
    print(as_markdown(evaluation))
    if config.json:
        write_json(config.json, as_data(evaluation))
    if config.html or config.png:
        write_contact_sheet(evaluation, config)
    found = complaints(evaluation)
    for line in found:
        print(line, file=sys.stderr)
    return EXIT_INCOMPLETE if found else EXIT_COMPLETE


def evaluate(config: EvalConfig) -> Evaluation:
    from evaluation.archive import load_archive
    from evaluation.calibration import CALIBRATED_ON, calibrate, calibrate_as_search
    from evaluation.encoders import by_encoder, encoder_vectors, untrained_vectors
    from evaluation.evaluation import Evaluation, baseline_vectors, score_groups, score_originals
    from evaluation.queries import (
        NameBook,
        find_edits,
        find_groups,
        group_queries,
        original_queries,
        read_groups,
        read_truth,
    )
    from model.embedding import Embedder
    from utils.engine.device import choose_device

    named = read_groups(config.groups)  # before the drawings: a slip in it should not cost minutes
    named_truth = read_truth(config.truth) if config.truth else []
    device = choose_device(config.device)
    embedder = Embedder(config.model_path, device)
    archive = load_archive(
        config.archive, config.cache, workers=config.workers, timeout=config.timeout, **embedder.reading
    )
    book = NameBook(archive.names, archive.skipped)
    groups, truth = find_groups(named, book), find_edits(named_truth, book)
    queries = group_queries(groups)
    if not queries:
        raise UserError(f"no group in {config.groups} holds two drawings of {config.archive}: nothing to measure")
    calibration = calibrate(by_encoder(list(embedder.many(archive.sample(CALIBRATED_ON)))), embedder)
    as_search = calibrate_as_search(list(archive.sample(2 * CALIBRATED_ON)), embedder)
    embedder.settle(archive.sample(ASKED), FEWEST)  # as SearchDXF.py does to index an archive
    trained, untrained = encoder_vectors(archive, embedder), untrained_vectors(archive, config.model_path, device)
    baselines, left_out = baseline_vectors(archive)
    vectors = {**trained, **untrained, **baselines}
    originals = score_originals(vectors, original_queries(truth, groups), config.k) if truth else None
    by_group = score_groups(vectors, queries, config.k)
    shares = {"training": calibration, "search": as_search}
    return Evaluation(archive, groups, config.k, vectors, shares, left_out, book.missing, by_group, originals)


def write_contact_sheet(evaluation: Evaluation, config: EvalConfig) -> None:
    from evaluation.contact_html import html_page
    from evaluation.contact_png import png_picture
    from evaluation.contact_sheet import contact_sheet
    from evaluation.report import summary

    sheet = contact_sheet(evaluation, config.sheet_queries)
    if config.html:
        title = f"{config.archive.resolve().name}: what {config.model_path.name} finds"
        page = html_page(sheet, title, summary(evaluation))
        with atomic_path(config.html) as temporary:
            temporary.write_text(page, encoding="utf-8", errors="xmlcharrefreplace")
    if config.png:
        with atomic_path(config.png) as temporary:
            png_picture(sheet).save(temporary, "PNG")


if __name__ == "__main__":
    run_script(EvalConfig, main, description=__doc__)
