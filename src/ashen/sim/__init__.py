"""The simulated fight: rules in compiled code, every number from the tables. Knows core only; never torch or Gymnasium.

``records`` lays out memory, ``pack`` fills it from the tables, ``player``, ``boss_ai``, ``boss_body``, ``hits`` and
``camera`` are the rules, ``fight`` is one step of one fight, ``backend`` runs N of them.
"""
