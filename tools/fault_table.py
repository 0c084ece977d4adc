"""Provokes every fault of the list in tests/fake_game/fault_rows.py and prints what became of it.

    python tools/fault_table.py           prints the table and writes it into docs/game-faults.md
    python tools/fault_table.py --json    prints JSON alone

Over the fake game; needs the tests' packages (python bootstrap.py test). Exit code 1 if a wait hung, a fault has no
name, or a row did not end as it should.
"""

import argparse
import json
import logging
import re
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "game-faults.md"


def write(table: str) -> None:
    """Put the table between its marks."""
    marks = r"(<!-- faults.*?-->\n).*(<!-- end -->)"
    text = PAGE.read_text(encoding="utf-8")
    text = re.sub(marks, lambda mark: mark[1] + table + mark[2], text, flags=re.S)
    PAGE.write_text(text, encoding="utf-8", newline="\n")


def main(as_json: bool) -> int:
    """Play all rows; the exit code."""
    from fake_game.fault_rows import ROWS
    from fake_game.trial import figures, play, table, totals

    logging.disable()  # soulsgym's own words on what is provoked
    results = []
    for row in ROWS:
        results.append(play(row))
        if not results[-1].is_as_expected:
            print(f"not as it should: {results[-1]}", file=sys.stderr)
    if as_json:
        print(json.dumps({"rows": [figures(one) for one in results], "totals": totals(results)}, indent=2))
    else:
        print(table(results), end="")
        write(table(results))
    return int(not _is_good(totals(results)))


def _is_good(found: dict[str, Any]) -> bool:
    return not found["hangs"] and not found["unclassified"] and found["as expected"] == found["rows"]


if __name__ == "__main__":
    sys.path.insert(0, str(_ROOT / "tests"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON, and leave the page alone")
    sys.exit(main(parser.parse_args().json))
