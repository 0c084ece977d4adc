"""Packs: a trained agent as one file that plays on any machine and executes nothing, and how packs are ranked."""
