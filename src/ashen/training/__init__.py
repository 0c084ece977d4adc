"""Floor 4: trains agents and writes what happens into a run folder. Knows nothing of displays, plots or films."""
