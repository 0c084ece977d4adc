import pytest

from ashen.core.percent import percent, with_interval


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (1 / 3000, "0.1%"),
        (0.004, "0.4%"),
        (0.005, "0.5%"),
        (0.3, "30%"),
        (0.994, "99%"),
        (0.995, "99.5%"),
        (2997 / 3000, "99.9%"),
        (0.99999, "99.9%"),
        (1.0, "100%"),
    ],
)
def test_all_is_told_of_all_alone(share, text):
    """Breaks if nearly all is written as all, or hardly any as none."""
    assert percent(share) == text


def test_a_rate_and_the_ends_of_its_interval():
    """Breaks if an end of an interval is rounded where the rate is not."""
    assert with_interval(2997 / 3000, 0.9970, 0.9998) == "99.9% (99.7%-99.9%)"
