"""Reports as the tests make and read them, on disk and in a browser."""

import re
import shutil
import subprocess
from pathlib import Path

from ashen.cli import main
from ashen.reporter import SECTIONS

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
CHROMIUM = next((found for name in BROWSERS if (found := shutil.which(name))), None)
NO_CHROMIUM = "no chromium here: apt-get install chromium, or Chrome or Edge on the PATH"


def report(runs_dir: Path, name: str, *words: str, fights: int = 1) -> str:
    """The page of a run."""
    assert main(["report", name, "--runs-dir", str(runs_dir), "--fights", str(fights), *words]) == 0
    return (runs_dir / name / "report.html").read_text(encoding="utf-8")


def sections(html: str) -> dict[str, str]:
    """The sections of a page by their address."""
    return dict(re.findall(r'<section id="([\w-]+)">(.*?)</section>', html, re.S))


def assert_all_sections(html: str) -> dict[str, str]:
    """Every section is there in its place, under its heading, and shows something or says why not."""
    found = sections(html)
    assert list(found) == list(SECTIONS)
    for key, text in found.items():
        assert re.search(r"<h2>([^<]+)</h2>", text)[1].replace("&#x27;", "'") == SECTIONS[key].title
        assert re.search(r'class="chart"|<td>|Not shown: \w|<figcaption>', text), key
    return found


def assert_shown(page: Path, profile: Path) -> None:
    """A browser without a network draws all charts of a page, and its console stays empty."""
    html = page.read_text(encoding="utf-8")
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--v=0", "--dump-dom"]
    command += [f"--user-data-dir={profile}", page.resolve().as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    assert [line for line in shown.stderr.splitlines() if ":CONSOLE:" in line] == []
    charts = html.count('class="chart"')
    assert shown.stdout.count('class="main-svg"') >= charts >= 8
    drawn = re.findall(r'class="chart js-plotly-plot"', shown.stdout)
    assert len(drawn) == charts
