"""Plane geometry of a fight, compiled: shared by the simulator, the encoders and the rewards.

x and y in metres; yaw in radians, a body with yaw ``a`` faces ``(-sin a, -cos a)``; bearings are counter-clockwise
positive, so a body's right is negative.
"""

import math

from ashen.core.compiled import njit


@njit(inline="always")
def wrap(angle_rad):
    """The same angle in [-pi, pi); meant for angles a few turns off at most."""
    while angle_rad >= math.pi:
        angle_rad -= 2.0 * math.pi
    while angle_rad < -math.pi:
        angle_rad += 2.0 * math.pi
    return angle_rad


@njit(inline="always")
def distance_m(x1, y1, x2, y2):
    """Distance in the plane."""
    return math.sqrt((x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1))


@njit(inline="always")
def yaw_towards(dx, dy):
    """The yaw of a body that faces along (dx, dy)."""
    return math.atan2(-dx, -dy)


@njit(inline="always")
def bearing_rad(x, y, yaw, other_x, other_y):
    """Direction of another body seen from one at (x, y) with ``yaw``: 0 ahead, positive to the left, in [-pi, pi)."""
    return wrap(yaw - yaw_towards(other_x - x, other_y - y))
