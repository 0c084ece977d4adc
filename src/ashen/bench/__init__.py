"""Speed, measured here: the world alone, the learners against other libraries' on one job, and whether a GPU pays."""
