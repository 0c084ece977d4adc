import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = runpy.run_path(str(ROOT / "tools" / "write_docs.py"))["PAGES"]


@pytest.mark.parametrize("page", PAGES)
def test_a_reference_page_says_what_the_code_says(page):
    """Breaks if an encoder, a reward term or a preset changed and tools/write_docs.py was not run."""
    assert (ROOT / "docs" / page).read_text(encoding="utf-8") == PAGES[page]()
