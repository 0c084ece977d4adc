"""Files that a verb writes."""

from pathlib import Path

from ashen.core.errors import UserError


def write_out(out: Path, content: str | bytes) -> None:
    """Write a text or bytes where ``--out`` says."""
    from ashen.runs.files import write_bytes

    try:
        write_bytes(out, content.encode() if isinstance(content, str) else content)
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise UserError(f"cannot write {out}: {error.strerror}; choose another --out") from None
