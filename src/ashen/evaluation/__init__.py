"""Floor 4: judges a policy by fights it plays, and says how sure the figures are. Never trains."""
