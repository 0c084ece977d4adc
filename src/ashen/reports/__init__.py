"""Films, plots and tables of finished and running trainings: reads run folders, never live objects."""
