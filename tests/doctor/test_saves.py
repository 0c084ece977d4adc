"""Copies of the saves."""

import pytest

from ashen.core.errors import UserError
from ashen.doctor.around import save
from ashen.doctor.findings import State
from ashen.doctor.pc import AnyPc
from ashen.doctor.saves import back_up, last_backup

pytestmark = pytest.mark.game
SAVE = "0110/DS30000.sl2"


@pytest.fixture
def idle(pc):
    """A PC on which the game does not run."""
    return pc.change(process=None)


def test_the_copy_is_whole_and_remembered(idle, tmp_path):
    """Breaks if a file is left out, if the check does not learn of it, or if the saves are touched."""
    assert last_backup(idle.saves()) is None
    copy = back_up(idle, tmp_path / "new" / "copy")
    assert (copy / SAVE).read_bytes() == (idle.saves() / SAVE).read_bytes() == b"a knight"
    assert last_backup(idle.saves()).folder == copy
    assert save(idle).state == State.OK
    (copy / SAVE).unlink()
    (copy / SAVE).parent.rmdir()
    copy.rmdir()
    assert "is gone" in save(idle).found


def test_nothing_is_overwritten(idle, tmp_path):
    """Breaks if a second copy spoils the first, which may be the only good one."""
    copy = back_up(idle, tmp_path / "copy")
    (idle.saves() / SAVE).write_bytes(b"spoilt")
    with pytest.raises(UserError, match="not empty; choose a new folder"):
        back_up(idle, copy)
    assert (copy / SAVE).read_bytes() == b"a knight"
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="choose a new folder"):
        back_up(idle, tmp_path / "file")


def test_it_is_refused_where_the_copy_would_not_be_one(pc, tmp_path):
    """Breaks if saves are copied while the game writes them, or into themselves, or where there are none."""
    with pytest.raises(UserError, match="close it and repeat"):
        back_up(pc, tmp_path / "copy")
    pc.process = None
    with pytest.raises(UserError, match="within the saves"):
        back_up(pc, pc.saves() / "copy")
    (pc.saves() / SAVE).unlink()
    (pc.saves() / SAVE).parent.rmdir()
    pc.saves().rmdir()
    with pytest.raises(UserError, match="make a character"):
        back_up(pc, tmp_path / "copy")
    with pytest.raises(UserError, match="on the Windows PC"):
        back_up(AnyPc(), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
