"""Many players, one learner: fights in other processes, on other machines and on game PCs, over Ray.

A player acts by the learner's networks as they were when it last asked, gathers what there is to learn and sends it
in batches that say whose they are, which networks they were played by, and that they are whole. The learner is the
ordinary training with another source of steps. Ray is imported in :mod:`crew` and
:mod:`ingress` alone, after :func:`cluster.prepare_ray`.
"""
