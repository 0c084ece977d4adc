import re
import runpy
from pathlib import Path

import pytest

from ashen.core.tables import boss_file
from ashen.evaluation.fidelity.guesses import guess_lines
from ashen.sim.pack import load_tables

ROOT = Path(__file__).resolve().parents[2]
PAGES = runpy.run_path(str(ROOT / "tools" / "write_docs.py"))["PAGES"]


@pytest.mark.parametrize("page", PAGES)
def test_a_reference_page_says_what_the_code_says(page):
    """Breaks if a list, the tables or the rules changed and tools/write_docs.py was not run."""
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == PAGES[page]()


def test_the_fidelity_page_is_of_these_tables_and_the_readme_counts_as_it_does():
    """Breaks if tables or words on guesses changed and the page was not written again, or README tells other counts."""
    page = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8")
    assert f"tables `{load_tables(boss_file('iudex'))[1]}`" in page
    assert page.endswith("\n".join(guess_lines("iudex")) + "\n")
    passed, judged, known = re.search(
        r"(\d+) of (\d+) judged figures hold;\s+(\d+) of them are in sample", page
    ).groups()
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"simulator meets; {known} of them are in sample.*\| {passed} of {judged} \|", readme)
