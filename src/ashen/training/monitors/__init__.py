"""Guards against silent failure: they watch every training, say what is wrong and what to try, and change nothing."""
