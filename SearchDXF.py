"""Search an archive of drawings for those that are like one.

python SearchDXF.py index DRAWINGS --model_path checkpoints/best_model.pth --index archive.idx
python SearchDXF.py query NEW.dxf --model_path checkpoints/best_model.pth --index archive.idx --top 10
python SearchDXF.py dedupe --index archive.idx
python SearchDXF.py clusters --index archive.idx
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compare.percent import percent
from config.errors import UserError
from config.search_config import ClustersConfig, DedupeConfig, IndexConfig, QueryConfig, SearchConfig
from utils.cli import STDOUT, run_script, tell
from utils.files import atomic_path, require_writable

if TYPE_CHECKING:  # the reading processes import this file again: torch would cost each of them seconds and memory
    from search.answers import Answer
    from search.filters import Filters
    from search.index import Index

EXIT_COMPLETE, EXIT_INCOMPLETE = 0, 3
MOST_NAMED = 20


def main(config: SearchConfig) -> int:
    command = config.command
    for option in ("json", "csv", "html"):
        if (path := getattr(command, option, None)) is not None and path != STDOUT:
            require_writable(path.parent, f"--{option}")
    work = {IndexConfig: index, QueryConfig: query, DedupeConfig: dedupe, ClustersConfig: clusters}
    return work[type(command)](command)


def index(config: IndexConfig) -> int:
    """Make the index, or bring it up to date."""
    from search.folder import folder_writer
    from search.indexing import update
    from search.model_card import ModelCard

    if not config.archive.is_dir():
        raise UserError(f"{config.archive.resolve()} is no folder: correct the folder to index")
    embedder = loaded(config)
    card = ModelCard.of(embedder, config.model_path.name)
    if config.index.startswith("milvus://"):
        from search.milvus import milvus_writer

        opened = milvus_writer(config.index, config.archive, card, config.sequences)
    else:
        wants_faiss = True if config.faiss else False if config.exact else None
        opened = folder_writer(Path(config.index), config.archive, card, wants_faiss)
    with opened as writer:
        done = update(writer, config.archive, embedder, config.limits())
    for name, reason in done.skipped.items():
        print(f"skipped {name}: {reason}", file=sys.stderr)
    counts = [(len(getattr(done, what)), what) for what in ("added", "changed", "renewed", "removed")]
    counts += [(done.unchanged, "unchanged"), (len(done.skipped), "skipped")]
    words = ", ".join(f"{count} {what}" for count, what in counts if count or what != "renewed")
    lines = [f"{words}: {config.index}"]
    if done.renewed:
        lines += [
            "renewed: embedded anew, as the archive has outgrown what was common in it, or the program has changed"
        ]
    tell(config.json, lines, done.as_dict())
    return EXIT_INCOMPLETE if done.skipped else EXIT_COMPLETE


def query(config: QueryConfig) -> int:
    """What is most like each of the given drawings."""
    from compare.drawings import Reader, find, record_of
    from search.answers import answers
    from search.index import open_index

    paths, lost = [], []
    for each in config.files:
        try:
            paths += find(each)
        except UserError as error:
            lost.append(str(error))
    if not paths:
        raise UserError("; ".join(lost))
    archive = open_index(config.index, config.exact)  # before the model: a slip in its name should not cost seconds
    with Reader(paths, config.limits(), record_of) as reader:
        found = list(answers(archive, loaded(config), reader, config.top, filters(config), config.encoder))
    if archive.note:
        print(archive.note, file=sys.stderr)
    complaints = [*lost, *(each.error for each in found if each.error)]
    outdated = {hit.path for each in found for hit in each.hits if hit.missing}
    complaints_of_hits = [f"{path} is in the index but no longer there: index the archive again" for path in outdated]
    for line in [*complaints, *sorted(complaints_of_hits)]:
        print(line, file=sys.stderr)
    if config.csv:
        write_csv(config.csv, ("query", "rank", "score", "share_below", "id"), rows_of(found))
    if config.html:
        report(config.html, found, archive, config)
    tell(config.json, [line for each in found if not each.error for line in listed(each)], as_data(found, lost))
    if complaints and not any(each.error is None for each in found):
        return 1 if len(found) + len(lost) == 1 else EXIT_INCOMPLETE
    return EXIT_INCOMPLETE if complaints else EXIT_COMPLETE


def report(path: Path, found: Sequence[Answer], archive: Index, config: QueryConfig) -> None:
    """The answers as a page to look at."""
    from report.document import write_report

    about = f"{len(archive):,} drawings, {archive.model.chosen(config.encoder)} encoder of {archive.model.name}"
    write_report(path, found, about, config.limits())


def listed(answer: Answer) -> list[str]:
    lines = [f"{answer.query}: {len(answer.hits)} most alike by {answer.encoder}" if answer.hits else ""]
    if not answer.hits:
        return [f"{answer.query}: no drawing of the archive fits the conditions"]
    for rank, hit in enumerate(answer.hits, start=1):
        share = "" if hit.share_below is None else f"more than {percent(hit.share_below)} % of pairs"
        note = "  (same file)" if hit.same_file else "  (no longer there)" if hit.missing else ""
        lines.append(f"{rank:>4}  {hit.score:9.6f}  {share:>24}  {hit.id}{note}")
    return lines


def rows_of(found: Iterable[Answer]) -> list[tuple[Any, ...]]:
    return [
        (str(each.query), rank, hit.score, "" if hit.share_below is None else hit.share_below, hit.id)
        for each in found
        for rank, hit in enumerate(each.hits, start=1)
    ]


def as_data(found: Iterable[Answer], lost: list[str]) -> dict[str, Any]:
    return {"queries": [each.as_dict() for each in found], "not_found": lost}


def dedupe(config: DedupeConfig) -> int:
    """What is in the archive twice."""
    from search.groups import duplicates

    groups = duplicates(folder_index(config), config.threshold, filters(config), config.encoder)
    count = sum(len(group.ids) for group in groups)
    lines = [f"{count} drawings in {len(groups)} groups of near-duplicates (score {config.threshold:g} or more)"]
    for group in groups:
        what = "the same bytes" if group.same_bytes else f"score {group.score:.6f} or more to another of them"
        lines += [f"{len(group.ids)} drawings, {what}", *(f"      {name}" for name in group.ids)]
    if config.csv:
        rows = [(i, group.score, name) for i, group in enumerate(groups, start=1) for name in group.ids]
        write_csv(config.csv, ("group", "score", "id"), rows)
    tell(config.json, lines, {"threshold": config.threshold, "groups": [group.as_dict() for group in groups]})
    return EXIT_COMPLETE


def clusters(config: ClustersConfig) -> int:
    """Groups of like drawings."""
    from search.groups import clustered

    groups = clustered(folder_index(config), config.number, filters(config), config.encoder, config.seed)
    lines = [f"{sum(len(group.ids) for group in groups)} drawings in {len(groups)} groups, the most typical first"]
    for number, group in enumerate(groups, start=1):
        shown, more = group.ids[:MOST_NAMED], len(group.ids) - MOST_NAMED
        lines += [f"group {number}: {len(group.ids)} drawings", *(f"      {name}" for name in shown)]
        lines += [f"      and {more} more (--json and --csv have all)"] if more > 0 else []
    if config.csv:
        rows = [(number, name) for number, group in enumerate(groups, start=1) for name in group.ids]
        write_csv(config.csv, ("group", "id"), rows)
    tell(config.json, lines, {"groups": [group.as_dict() for group in groups]})
    return EXIT_COMPLETE


def loaded(config: IndexConfig | QueryConfig):
    from model.embedding import Embedder
    from utils.engine.device import choose_device

    return Embedder(config.model_path, choose_device(config.device))


def folder_index(config: DedupeConfig | ClustersConfig):
    """The index, where all vectors can be had."""
    from search.index import Index

    if config.index.startswith("milvus://"):
        raise UserError("dedupe and clusters read all vectors: they need an index that is a folder, not a database")
    return Index.open(Path(config.index))


def filters(config) -> Filters:
    from search.filters import Count, Filters

    try:
        return Filters(config.path, config.size, tuple(Count.parse(each) for each in config.count))
    except ValueError as error:
        raise UserError(f"--count: {error}") from error


def write_csv(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


if __name__ == "__main__":
    run_script(SearchConfig, main)
