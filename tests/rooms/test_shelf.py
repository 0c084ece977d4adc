"""Order among runs: tags, the trash, and the list."""

import json
from datetime import datetime

import pytest

from ashen.cli import main
from ashen.core.errors import UserError
from ashen.display import run_lines
from ashen.runs.claim import claimed
from ashen.runs.folder import create_run, open_run, run_names
from ashen.runs.metrics import MetricsLog
from ashen.runs.seal import sealed
from ashen.runs.shelf import change_tags, read_tags, restore, trash
from ashen.training.lineage import with_lineage

RECIPE = {"boss": "iudex", "fight": "full", "total_steps": 100}


@pytest.fixture
def runs_dir(tmp_path, monkeypatch):
    """Three runs: b of 100 steps and 9 wins, a stopped after 50 with 3 wins, c that has nothing yet."""
    monkeypatch.setenv("ASHEN_RUNS", str(tmp_path))
    for name, steps, wins in (("b", 100, 9), ("a", 50, 3), ("c", 0, 0)):
        run = create_run(tmp_path, name, "x")
        run.write_config({"recipe": RECIPE, "recipe_name": "full"})
        if steps:
            rate = {"win_rate": wins / 10, "win_rate_low": 0.0, "win_rate_high": 1.0, "return_mean": 1.0}
            kind = "final" if steps == 100 else "evaluation"
            MetricsLog(run).write(kind, steps, 0, {"wins": wins, "fights": 10} | rate)
    return tmp_path


def _listed(capsys, *words):
    capsys.readouterr()
    assert main(["runs", "--json", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_runs_are_listed_and_sorted(runs_dir, capsys):
    """Breaks if a run, its figures or its state is missing from the list, or the order is not the one asked for."""
    rows = _listed(capsys)
    assert [(row["name"], row["state"], row["env_steps"]) for row in rows] == [
        ("b", "complete", 100), ("a", "stopped", 50), ("c", "stopped", 0),
    ]  # fmt: skip
    assert rows[0].items() >= {"boss": "iudex", "fight": "full", "recipe": "full", "win_rate": 0.9, "wins": 9}.items()
    assert rows[2]["win_rate"] is None
    for sort, names in (("name", "abc"), ("win-rate", "cab"), ("steps", "cab"), ("date", "bac")):
        assert "".join(row["name"] for row in _listed(capsys, "--sort", sort)) == names
    with claimed(open_run("a", runs_dir)), claimed(open_run("b", runs_dir)):
        assert [row["state"] for row in _listed(capsys)] == ["filming", "running", "stopped"]
    assert main(["runs"]) == 0
    said = capsys.readouterr().out
    assert "90% (0%-100%)" in said and "running" not in said


def test_the_steps_are_those_of_the_newest_checkpoint(runs_dir, capsys):
    """Breaks if a run that was stopped between two rows of metrics is told to stand where it would not go on."""
    (open_run("a", runs_dir).checkpoints / "step-000000000064.pt").write_bytes(sealed(b"PK\0\0"))
    assert [row["env_steps"] for row in _listed(capsys)] == [100, 64, 0]


def test_forks_clones_and_joined_runs_say_what_they_are(runs_dir, capsys):
    """Breaks if a fork has no recipe in the list, a clone none of what it cloned, or a joined run no fight."""
    fork, parent = create_run(runs_dir, "fork", "x"), open_run("b", runs_dir)
    fork.write_config(with_lineage(fork, {"recipe": RECIPE, "parent": {"run": "b"}}, parent))
    cloned = {"places": ["there/human", "b"], "only_wins": False}
    create_run(runs_dir, "clone", "x").write_config({"recipe": RECIPE, "pretrained_from": cloned})
    joined = create_run(runs_dir, "joined", "x")
    joined.keep_run(parent, parent.config_file, "phase1")
    joined.write_config({"joined": {"rule": "phase", "phase1": "b", "phase2": "b"}, "trained_here": False})
    rows = {row["name"]: (row["recipe"], row["boss"], row["fight"]) for row in _listed(capsys)}
    assert rows["fork"] == ("full", "iudex", "full")
    assert rows["clone"] == ("clone of human, b", "iudex", "full")
    assert rows["joined"] == (None, "iudex", "full")


def test_names_are_never_broken(runs_dir, capsys):
    """Breaks if a name stands on two lines of the list, where it cannot be typed again."""
    row = _listed(capsys)[0] | {"name": "n" * 90, "parents": ["p" * 60, "a-" * 20], "recipe": "clone of 2026-11-26-a"}
    lines = run_lines(row, 80)
    assert lines[0] == "n" * 90 and all(len(line) <= 80 for line in lines[1:])
    words = " ".join(lines).replace(",", "").split()
    assert {"p" * 60, "a-" * 20, "2026-11-26-a"} <= set(words)
    create_run(runs_dir, "m" * 100, "x").write_config({"recipe": RECIPE})
    capsys.readouterr()
    assert main(["runs"]) == 0
    assert any(line.startswith("m" * 100 + " ") for line in capsys.readouterr().out.splitlines())


def test_a_damaged_run_and_human_fights_do_not_spoil_the_list(runs_dir, capsys):
    """Breaks if one broken folder hides the others or goes unsaid, or human fights count as a run."""
    create_run(runs_dir, "human", "x").write_config({"policy": "human"})
    (runs_dir / "c" / "config.json").write_text("{", encoding="utf-8")
    assert [row["name"] for row in _listed(capsys)] == ["b", "a"]
    assert main(["runs"]) == 0
    assert "ashen: c cannot be read and is left out: cannot read " in capsys.readouterr().err
    for damage, reason in (
        ('{"schema_version": 1}', "lacks 'created_at'"),
        ('{"schema_version": 1, "created_at": "x"}', "'x'"),
    ):
        (runs_dir / "c" / "config.json").write_text(damage, encoding="utf-8")
        assert main(["runs"]) == 0
        said = capsys.readouterr()
        assert reason in said.err and said.err.count("\n") == 1
        assert [line.split()[0] for line in said.out.splitlines()] == ["run", "b", "a"]


def test_the_list_tells_the_time_of_day_where_there_is_room(runs_dir, capsys, monkeypatch):
    """Breaks if runs of one day cannot be told apart by their times, or a narrow terminal gets no table for them."""
    begun = datetime.fromisoformat(open_run("b", runs_dir).read_config()["created_at"]).astimezone()
    assert main(["runs"]) == 0
    whole = max(map(len, capsys.readouterr().out.splitlines()))
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    for columns, is_table, has_time in ((whole, True, True), (whole - 1, True, False), (whole - 9, False, True)):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert main(["runs"]) == 0
        said = capsys.readouterr().out
        assert f"{begun:%Y-%m-%d}" in said
        assert ("parent" in said.splitlines()[0], f"{begun:%H:%M}" in said) == (is_table, has_time)


def test_tags_filter_the_list(runs_dir, capsys):
    """Breaks if a tag is not kept, shown, filtered by or taken off, or bad runs stand in the list unasked."""
    assert main(["runs", "tag", "a", "bad", "slow"]) == 0
    assert capsys.readouterr().out == "a: bad, slow\n"
    assert [row["name"] for row in _listed(capsys)] == ["b", "c"]
    assert [row["name"] for row in _listed(capsys, "--tag", "slow")] == ["a"]
    assert [row["tags"] for row in _listed(capsys, "--all")] == [[], ["bad", "slow"], []]
    assert "Tags: bad, slow" in (runs_dir / "journal.md").read_text(encoding="utf-8")
    assert main(["runs", "untag", "a", "bad"]) == 0
    assert len(_listed(capsys)) == 3
    run = open_run("a", runs_dir)
    with pytest.raises(UserError, match="unknown tag 'slo' in a; did you mean 'slow'"):
        change_tags(run, remove=["slo"])
    with pytest.raises(UserError, match="cannot be a tag"):
        change_tags(run, add=["two words"])
    assert read_tags(run) == ["slow"]
    run.tags_file.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"tags\.json is damaged"):
        read_tags(run)


def test_the_trash_gives_back_what_it_took(runs_dir, capsys):
    """Breaks if a run that was thrown away is found by other verbs, is lost, or comes back changed."""
    files = {path.name: path.read_bytes() for path in (runs_dir / "a").iterdir() if path.is_file()}
    assert main(["runs", "trash", "a"]) == 0
    assert "get it back with: ashen runs restore a" in capsys.readouterr().out
    assert run_names(runs_dir) == ["b", "c"]
    for words in ("a", str(runs_dir / ".trash" / "a")):
        with pytest.raises(UserError, match="'a' is in the trash; get it back with: ashen runs restore a"):
            open_run(words, runs_dir)
    assert [row["state"] for row in _listed(capsys, "--all")] == ["complete", "trashed", "stopped"]
    journal = (runs_dir / "journal.md").read_text(encoding="utf-8")
    assert journal.count("\n- ") == 1 and "](.trash/a/journal.md)" in journal and "trashed" in journal
    assert main(["runs", "restore", "a"]) == 0
    assert "](a/journal.md)" in (runs_dir / "journal.md").read_text(encoding="utf-8")
    assert {name: (runs_dir / "a" / name).read_bytes() for name in files} == files


def test_a_name_can_be_thrown_away_twice(runs_dir):
    """Breaks if a second run of a name replaces the first in the trash, or on its way back one that is there by now."""
    first = trash(open_run("a", runs_dir))
    create_run(runs_dir, "a", "x").write_config({"recipe": RECIPE})
    with pytest.raises(UserError, match=r"there is a run 'a' by now; .*: ashen runs restore a --name a-before"):
        restore("a", runs_dir)
    second = trash(open_run("a", runs_dir))
    assert (first.name, second.name) == ("a", "a-2")
    assert restore("a-2", runs_dir).read_config()["name"] == "a"
    assert restore("a", runs_dir).metrics_file.is_file()
    with pytest.raises(UserError, match=r"the trash of .* is empty"):
        restore("a", runs_dir)


def test_a_run_can_come_back_under_another_name(runs_dir, capsys):
    """Breaks if a run whose name is taken cannot come back, takes another's place, or has two lines in the journal."""
    assert main(["runs", "trash", "a"]) == 0
    create_run(runs_dir, "a", "x").write_config({"recipe": RECIPE})
    assert main(["runs", "restore", "a", "--name", "b"]) == 2
    assert "already a run 'b'" in capsys.readouterr().err
    assert main(["runs", "restore", "a", "--name", "older"]) == 0
    assert [row["name"] for row in _listed(capsys, "--sort", "steps")][2:] == ["older", "b"]
    journal = (runs_dir / "journal.md").read_text(encoding="utf-8")
    assert "](older/journal.md)" in journal and ".trash" not in journal


def test_numbers_in_the_trash_are_not_given_again(tmp_path):
    """Breaks if a new run gets the made name of one in the trash, which could then not come back."""
    trash(create_run(tmp_path, None, "x"))
    assert create_run(tmp_path, None, "x").name.endswith("-x-2")


def test_what_must_stay_stays(runs_dir):
    """Breaks if a run that is tagged keep, or is being trained, can be thrown away."""
    run = open_run("b", runs_dir)
    change_tags(run, add=["keep"])
    with pytest.raises(UserError, match="first: ashen runs untag b keep"):
        trash(run)
    change_tags(run, remove=["keep"])
    with claimed(run), pytest.raises(UserError, match="another process is at work on"):
        trash(run)
    assert "b" in run_names(runs_dir)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tagg", "a"], "unknown word after ashen runs 'tagg'; did you mean 'tag'"),
        (["tag", "a"], "no tag given; as in: ashen runs tag a bad"),
        (["tag"], "RUN"),
        (["tag", "d", "bad"], "unknown run 'd'"),
        (["restore", "d"], "the trash of"),
        (["--sort", "wins"], "choose from: date, name, win-rate, steps"),
    ],
)
def test_mistakes_are_told(words, message, runs_dir, capsys):
    """Breaks if wrong words after ashen runs are a traceback, or do not tell how they are meant."""
    assert main(["runs", *words]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_the_words_have_help(capsys):
    """Breaks if ashen runs --help does not tell its words, or one of them has no help of its own."""
    for words in ([], ["tag"], ["untag"], ["trash"], ["restore"]):
        with pytest.raises(SystemExit) as ended:
            main(["runs", *words, "--help"])
        assert not ended.value.code
        said = capsys.readouterr().out
        assert f"ashen {' '.join(['runs', *words])}" in said
        assert words or all(f"ashen runs {word}" in said for word in ("tag", "untag", "trash", "restore"))
