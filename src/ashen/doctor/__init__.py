"""The set-up for the real game, looked over: one small function for each thing that has cost somebody a month.

:mod:`ashen.doctor.checks` lists them. They see the computer through :class:`ashen.doctor.pc.Pc` alone, change nothing
and end; only those of :mod:`ashen.doctor.live` press keys, and only when asked.
"""
