"""Floor 2: the run folder, the contract between training and everything that shows it. Files only, never tensors."""
