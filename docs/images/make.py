"""Make the pictures of the search page that the README shows, with the project's own commands on generated drawings.

    python docs/images/make.py --scratch /path/to/scratch

Needs ``playwright`` and a Chromium, as tests/web/test_browser.py does. Takes a few minutes: a small model is trained
first. The pictures of docs/compare.md are made by the commands that stand above them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)

from utils.cli import run_script  # noqa: E402

SMALL = [item for name, value in (("d_model", 32), ("n_layers", 1), ("n_heads", 2), ("d_feedforward", 32))
         for item in (f"--deepdxf.{name}", str(value))]  # fmt: skip
QUERY = "FLANGE"  # how the query's name begins


@dataclass(frozen=True)
class Config:
    """Where to work."""

    scratch: Path
    """Folder for drawings, model and index; what an earlier run left there is used again."""


def main(config: Config) -> None:
    config.scratch.mkdir(parents=True, exist_ok=True)
    prepare(config.scratch)
    query = sorted((config.scratch / "drawings").glob(f"{QUERY}*.dxf"))[0]
    run(config.scratch, "SearchDXF.py", "query", str(query), "--top", "3", "--html", "report.html")
    page = subprocess.Popen(
        [sys.executable, str(ROOT / "PageDXF.py"), "--index", "archive.idx", "--top", "3", "--port", "0"],
        cwd=config.scratch,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        url = next(line.split()[0] for line in page.stdout if line.startswith("http"))
        take(url, query, config.scratch / "report.html")
    finally:
        page.terminate()
        page.wait()


def prepare(folder: Path) -> None:
    if not (folder / "archive.idx").exists():
        run(folder, "dataset/dxf_generate.py", "--output", "drawings", "--families", "12", "--per_family", "6",
            "--seed", "4")  # fmt: skip
        run(folder, "dataset/dxf_process.py", "--input", "drawings", "--output", "data")
        run(folder, "joint_main.py", "--data_dir", "data", "--n_folds", "1", "--epochs", "3", "--gf_batch_pairs", "8",
            "--device", "cpu", *SMALL)  # fmt: skip
        run(folder, "SearchDXF.py", "index", "drawings", "--index", "archive.idx")


def run(folder: Path, script: str, *arguments: str) -> None:
    subprocess.run([sys.executable, str(ROOT / script), *arguments], cwd=folder, check=True)


def take(url: str, query: Path, report: Path) -> None:
    """The page with its answers and map, and the overlay that a click opens, in dark colours."""
    from playwright.sync_api import sync_playwright

    own = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=own, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1180, "height": 900})
        tab.goto(url)
        tab.locator(".dot").first.wait_for()
        tab.set_input_files("#file", query)
        tab.locator(".answer").first.wait_for()
        tab.locator(".answer[data-source]").first.wait_for(state="detached")
        shoot(tab, "page.png", full_page=True)
        tab = browser.new_page(viewport={"width": 1180, "height": 760}, color_scheme="dark")
        tab.goto(report.resolve().as_uri())
        tab.locator(".answer .picture").nth(1).click()
        tab.wait_for_timeout(300)
        shoot(tab, "report.png")
        browser.close()


def shoot(tab, name: str, full_page: bool = False) -> None:
    """A picture of 128 colours, the rare ones among them: half of the size, and no difference to be seen."""
    path = ROOT / "docs/images" / name
    tab.screenshot(path=path, full_page=full_page)
    Image.open(path).convert("RGB").quantize(128, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        path, optimize=True
    )
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    run_script(Config, main)
