import pytest

from ashen.training.diary_row import train_curves


@pytest.mark.slow
def test_the_diary_s_pipeline_trains_from_several_seeds_side_by_side():
    """Breaks if a training fails in a process of its own, all seeds are the same training, or rows are missing."""
    first, second = train_curves(2, 24_000, lambda text: None)
    for rows in (first, second):
        assert rows[-1]["env_step"] == 24_000
        assert sum(row["fights"] for row in rows) > 20
    assert [row["return_mean"] for row in first] != [row["return_mean"] for row in second]
