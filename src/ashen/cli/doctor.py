"""The verb that looks the set-up over."""

import json
from collections.abc import Sequence
from pathlib import Path


def doctor(words: Sequence[str]) -> int:
    """Look the set-up for the real game over; returns 1 if something must be mended."""
    from ashen.display import say
    from ashen.doctor.checks import check_list, examine
    from ashen.doctor.live import WARNING
    from ashen.doctor.pc import this_pc
    from ashen.doctor.report import FIRST, as_json, bundle, passed
    from ashen.doctor.saves import back_up
    from ashen.options.doctor import DoctorOptions
    from ashen.options.parse import parse
    from ashen.runs.files import check_out

    options, pc = parse(DoctorOptions, "doctor", words, more_help=check_list()), this_pc()
    if options.report:
        check_out(options.report, FIRST.encode(), "report of ashen doctor")
    run_files = _files_of(options.run, options.runs_dir) if options.report else {}
    if options.back_up_save:
        say(f"the saves are copied to {back_up(pc, options.back_up_save)}")
    if options.live and pc.is_windows:
        say(WARNING)
    found = examine(pc, options.live, options.scan_codes)
    if options.json:
        print(json.dumps(as_json(found)))
    else:
        from rich.console import Console

        from ashen.doctor.screen import screen

        Console(highlight=False).print(screen(found))
    if options.report:
        before = ", in place of an older one" if options.report.is_file() else ""
        _write(options.report, bundle(found, run_files))
        say(f"the report is {options.report}{before}: read it before you send it, it is a zip of text files")
    return 0 if passed(found) else 1


def _files_of(run: str | None, runs_dir: Path) -> dict[str, str]:
    """Settings and log of a run, the newest if none is named; nothing if there is none."""
    from ashen.runs.folder import open_run, run_names

    if run is None:
        names = run_names(runs_dir)
        if not names:
            return {}
        run = max(names, key=lambda name: (runs_dir / name).stat().st_mtime)
    opened = open_run(run, runs_dir)
    files = (opened.config_file, opened.log_file)
    return {file.name: file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file()}


def _write(out: Path, data: bytes) -> None:
    from ashen.core.errors import UserError
    from ashen.runs.files import write_bytes

    try:
        write_bytes(out, data)
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --report") from None
