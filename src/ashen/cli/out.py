"""Files that a verb writes."""

from pathlib import Path

from ashen.core.errors import UserError


def write_out(out: Path, text: str) -> None:
    """Write a text where ``--out`` says, making its folder."""
    from ashen.runs.files import write_text

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_text(out, text)
    except (FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from None
