"""The real game behind :class:`ashen.core.protocols.Backend`: the only door to SoulsGym.

A child process owns the game (:mod:`ashen.game.door`); the trainer's side (:mod:`ashen.game.keeper`) asks it with
deadlines, so that nothing the game does can hang a training.
"""
