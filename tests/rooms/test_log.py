"""A run's log: stamped lines, warnings and tracebacks; and who is at work on a run."""

import logging
import warnings
from datetime import datetime

import pytest

from ashen.cli import VERBS, main
from ashen.core.errors import LoggedError, UserError
from ashen.runs.claim import claimed, is_claimed
from ashen.runs.folder import create_run
from ashen.runs.log import SAY_AGAIN_S, RateLimit, logged, read_log
from ashen.training.session import session


@pytest.fixture
def run(tmp_path):
    """A run folder with a config."""
    run = create_run(tmp_path, "first", "x")
    run.write_config({"recipe": {"boss": "iudex", "fight": "full", "total_steps": 100}})
    return run


def _lines(run):
    return run.log_file.read_text(encoding="utf-8").splitlines()


def test_every_line_has_its_time(run, capsys):
    """Breaks if a line of run.log, also one within a traceback, has no time and zone, or is on the console."""
    run.log("something 100 %")
    run.log("two\nlines", logging.WARNING)
    with pytest.raises(UserError), logged(run.log_file):
        raise UserError("wrong")
    times = [datetime.fromisoformat(line.split("  ")[0]) for line in _lines(run)]
    assert all(time.tzinfo for time in times)
    assert [line.split("  ", 1)[1] for line in _lines(run)[:4]] == [
        "INFO     something 100 %", "WARNING  two", "WARNING  lines", "ERROR    ended by wrong",
    ]  # fmt: skip
    assert len(times) > 5
    assert capsys.readouterr() == ("", "")


def test_each_run_writes_its_own_log_and_no_other(tmp_path, caplog):
    """Breaks if a line goes to another run's log too, or to the console where some library has set up logging."""
    runs = [create_run(tmp_path, name, "x") for name in ("a", "a.b")]
    for run in runs:
        run.log(f"of {run.name}")
    assert [[line.message for line in read_log(run.log_file)] for run in runs] == [["of a"], ["of a.b"]]
    assert caplog.records == []


def test_a_log_is_read_whatever_stands_in_it(run):
    """Breaks if lines of an older ashen are lost, or a line without a time or cut off by a crash is a traceback."""
    run.log_file.write_bytes(b"2026-01-02T03:04:05.678+01:00  old\nTraceback\n\xff\xff  x\n")
    run.log("new", logging.WARNING)
    with run.log_file.open("a", encoding="utf-8") as file:
        file.write("2026-01-02T0")
    assert [line[1:] for line in read_log(run.log_file)] == [("INFO", "old"), ("WARNING", "new")]


def test_a_warning_that_comes_again_is_counted():
    """Breaks if a kind of warning is written more than once a minute, or those held back are not counted."""
    limit = RateLimit()
    assert [limit.take("a", now_s) for now_s in (0.0, 1.0, 2.0)] == [0, None, None]
    assert limit.take("b", 2.0) == 0
    assert limit.unsaid == {"a": 2}
    assert limit.take("a", SAY_AGAIN_S) == 2
    assert limit.unsaid == {}


def test_warnings_go_into_the_log(run, capsys):
    """Breaks if a warning reaches the console, or a flood of one kind floods the log or goes uncounted."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with logged(run.log_file):
            for number in range(500):
                warnings.warn(f"number {number}", RuntimeWarning, stacklevel=1)
            warnings.warn("other", UserWarning, stacklevel=1)
    told = [line.message for line in read_log(run.log_file) if line.level == "WARNING"]
    assert [text.split(": ", 1)[1] for text in told] == [
        "number 0",
        "other",
        "number 499 (the last of 499 more like it)",
    ]
    assert capsys.readouterr() == ("", "")


def test_a_mistake_of_ashens_own_is_told_in_a_line(run, capsys, monkeypatch):
    """Breaks if a crash in a training shows a traceback, hides where it is, or exits as if the user could mend it."""

    def broken(words):
        with session(run):
            raise ZeroDivisionError("by nothing")

    monkeypatch.setitem(VERBS, "recipes", broken)
    assert main(["recipes"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ZeroDivisionError: by nothing" in said and str(run.log_file) in said and "report it" in said
    assert any("in broken" in line.message for line in read_log(run.log_file))
    assert "stopped by ZeroDivisionError: by nothing" in run.journal_file.read_text(encoding="utf-8")


def test_without_a_log_the_traceback_is_not_lost(tmp_path):
    """Breaks if a crash whose run is gone is told as an error of the log, or points to a log that is not there."""
    with pytest.raises(ZeroDivisionError), logged(tmp_path / "gone" / "run.log"):
        raise ZeroDivisionError


def test_what_the_user_can_mend_stays_what_it_is(run):
    """Breaks if a full disk or bad input in a training is told as a mistake of ashen's."""
    for error in (UserError("x"), OSError(28, "full")):
        with pytest.raises(type(error)), session(run):
            raise error
    with pytest.raises(LoggedError), session(run):
        raise OSError(9999, "odd")


def test_two_cannot_be_at_work_on_a_run(run):
    """Breaks if a run is resumed twice at once, or seems to be at work when nobody is any more."""
    assert not is_claimed(run)
    with claimed(run):
        assert is_claimed(run)
        with pytest.raises(UserError, match="another process is at work on first"), claimed(run):
            pass
        assert is_claimed(run)
    assert not is_claimed(run)
    with claimed(run):
        pass
