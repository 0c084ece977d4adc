"""The bundle for a bug report, and the verb."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from ashen.cli import main
from ashen.doctor import checks, report
from ashen.doctor.findings import failed, ok

pytestmark = pytest.mark.game
FOUND = {"dll": failed(r"D:\People\Zoe\ashen\x.dll holds ë", "move it"), "disk": ok("5 GiB free")}


def test_the_bundle_says_all_and_names_nobody(monkeypatch):
    """Breaks if a bug report lacks what one needs, or tells the name of the one who sends it."""
    monkeypatch.setattr(report, "_user", lambda: "Zoe")
    log = "".join(f"line {number} in /mnt/d/people/zoe/runs\n" for number in range(400))
    data = report.bundle(FOUND, {"run.log": log, "config.json": r'{"table": "D:\\People\\Zoe\\my.toml"}'})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        texts = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    assert list(texts) == ["ashen-doctor.json", "ashen-doctor.txt", "versions.txt", "run/run.log", "run/config.json"]
    assert json.loads(texts["ashen-doctor.json"])["passed"] is False
    assert "numpy==" in texts["versions.txt"]
    assert texts["run/run.log"].startswith("line 100 ") and "line 399" in texts["run/run.log"]
    assert json.loads(texts["run/config.json"])["table"] == r"D:\People\user\my.toml"
    assert not any("zoe" in text.lower() for text in texts.values())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (r"D:\People\Zoe\ashen and d:/people/zoe/x", r"~\ashen and ~/x"),
        (r"{'a': 'D:\\People\\Zoe\\ashen'}", r"{'a': '~\\ashen'}"),
        (r"D:\People\Zoey\ashen", r"D:\People\Zoey\ashen"),
        (r"D:\games\zoe", r"D:\games\user"),
        ("zoe plays", "zoe plays"),
    ],
)
def test_paths_lose_the_home_folder_and_the_name(text, told):
    """Breaks if a path of one kind still holds the name, or if another one's is spoilt."""
    assert report.anonymous(text, r"D:\People\Zoe", "Zoe") == told


@pytest.fixture
def quick(monkeypatch):
    """Checks that take no time, of which one fails."""
    broken = next(check for check in checks.CHECKS if check.name == "disk")
    monkeypatch.setattr(checks, "CHECKS", (broken,))
    monkeypatch.setattr("ashen.doctor.around.LEAST_DISK_BYTES", 2**70)


@pytest.mark.usefixtures("quick")
def test_the_verb_prints_a_screen_or_json_and_fails_if_something_did(capsys, monkeypatch):
    """Breaks if a script cannot tell a broken set-up from a good one, or if JSON is not alone on standard output."""
    assert main(["doctor"]) == 1
    assert "1 to mend" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["passed"] is False
    assert [row["name"] for row in said["checks"]] == ["disk"]
    monkeypatch.setattr("ashen.doctor.around.LEAST_DISK_BYTES", 1)
    assert main(["doctor"]) == 0


@pytest.mark.usefixtures("quick")
def test_the_report_takes_the_newest_run_and_no_other_files_place(capsys, tmp_path):
    """Breaks if the run's log is missing, if a file of the user's is overwritten, or if a report is not renewed."""
    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "config.json").write_text('{"schema_version": 1}', encoding="utf-8")
    (run / "run.log").write_text("begun\n", encoding="utf-8")
    out = tmp_path / "report.zip"
    words = ["doctor", "--json", "--runs-dir", str(run.parent), "--report", str(out)]
    assert main(words) == 1
    assert "in place of" not in capsys.readouterr().err
    assert main(words) == 1
    assert f"the report is {out}, in place of an older one" in capsys.readouterr().err
    with zipfile.ZipFile(out) as archive:
        assert archive.read("run/run.log") == b"begun\n"
    assert main([*words, "--run", "yours"]) == 2
    out.write_bytes(b"mine")
    capsys.readouterr()
    assert main(words) == 2
    assert "is no report of ashen doctor" in capsys.readouterr().err
    assert out.read_bytes() == b"mine"
    assert main([*words[:-1], str(tmp_path)]) == 2
    assert main([*words[:-1], str(tmp_path / "unmade" / "report.zip")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert main([*words[:-3], str(tmp_path / "none"), "--report", str(tmp_path / "no-run.zip")]) == 1


def test_help_lists_the_checks(capsys):
    """Breaks if ashen doctor --help does not tell what is checked."""
    with pytest.raises(SystemExit):
        main(["doctor", "--help"])
    said = capsys.readouterr().out
    assert all(check.name in said for check in checks.CHECKS)
    assert Path.home().as_posix() not in said
