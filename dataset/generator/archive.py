"""Writing an archive: the drawings, who is like whom (groups.json), and what was done to each (truth.json)."""

import contextlib
import json
from pathlib import Path

from tqdm import tqdm

from dataset.generator.family import Family, record
from dataset.generator.writer import build_document, document_bytes

GROUPS, TRUTH, UNFINISHED = "groups.json", "truth.json", "unfinished.json"


class OutputNotEmptyError(ValueError):
    """The output folder holds files that are not the generator's."""


def generate(
    output: Path, families: int, per_family: int, seed: int, progress: bool = False, overwrite: bool = False
) -> list[dict]:
    """Draw `families` families of `per_family` files each into a folder; returns the records of truth.json.

    With `progress`, a bar on standard error where somebody watches.
    Files of an earlier run in the same folder are replaced. A folder with anything else in it raises
    OutputNotEmptyError, unless `overwrite` is set; then what is not the generator's is left as it is.
    """
    output = Path(output)
    earlier = claim(output, overwrite)
    archive = [Family(seed, index) for index in range(families)]
    names = unique_names([[plan.name for plan in family.plans(per_family)] for family in archive])
    files = [name for group in names for name in group]
    # While this file is there, the folder is half written; it also says which files are ours if the run is stopped.
    write_json(output / UNFINISHED, {"files": sorted({*files, *earlier})})
    for name in (*earlier, GROUPS, TRUTH):
        (output / name).unlink(missing_ok=True)
    records = []
    with tqdm(total=len(files), desc="drawings", unit="file", disable=None if progress else True) as bar:
        for family, group in zip(archive, names, strict=True):
            for plan in family.plans(per_family):
                sheet = family.sheet(plan)
                write_whole(output / group[plan.number], document_bytes(build_document(sheet, plan.version)))
                records.append(record(family, plan, sheet, group))
                bar.update()
    write_json(output / GROUPS, names)
    write_json(output / TRUTH, {"seed": seed, "families": families, "per_family": per_family, "files": records})
    (output / UNFINISHED).unlink()
    return records


def claim(output: Path, overwrite: bool) -> list[str]:
    """Make sure that the folder is ours to write into; the drawings of an earlier run that lie there."""
    if output.exists() and not output.is_dir():
        raise OutputNotEmptyError(f"{output} is a file, not a folder.")
    output.mkdir(parents=True, exist_ok=True)
    known: set[str] = set()
    for name in (TRUTH, UNFINISHED):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            entries = json.loads((output / name).read_text(encoding="utf-8"))["files"]
            known |= {entry if isinstance(entry, str) else entry["file"] for entry in entries}
    present = {path.name for path in output.iterdir()}
    ours = {GROUPS, TRUTH, UNFINISHED} | {name + ".part" for name in known} if known else set()
    foreign = sorted(present - known - ours)
    if foreign and not overwrite:
        raise OutputNotEmptyError(
            f"{output} holds files that are not from an earlier run (such as {foreign[0]!r}): "
            "choose an empty folder, or pass --overwrite to write beside them."
        )
    return sorted(known & present)


def unique_names(groups: list[list[str]]) -> list[list[str]]:
    """Windows does not tell a.dxf from A.dxf: a name that is taken gets a number, as a copied file would."""
    taken: set[str] = set()
    result = []
    for group in groups:
        row = []
        for name in group:
            stem, count = name.removesuffix(".dxf"), 1
            while name.casefold() in taken:
                count += 1
                name = f"{stem} ({count}).dxf"
            taken.add(name.casefold())
            row.append(name)
        result.append(row)
    return result


def write_json(path: Path, content) -> None:
    write_whole(path, (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def write_whole(path: Path, content: bytes) -> None:
    """The file appears with all its content or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
