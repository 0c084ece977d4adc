"""How a share is written, once for all tables and messages."""


def percent(share: float) -> str:
    """A share in whole percent; close to all or none in tenths, so that 100% is said of all and 0% of none.

    Args:
        share: 0..1.
    """
    if 0.0 < share <= 0.005 or 0.995 <= share < 1.0:
        return f"{min(max(share, 0.001), 0.999):.1%}"
    return f"{share:.0%}"


def with_interval(rate: float, low: float, high: float) -> str:
    """A rate with the ends of its interval, such as ``97% (95%-98%)``; all three 0..1."""
    return f"{percent(rate)} ({percent(low)}-{percent(high)})"
