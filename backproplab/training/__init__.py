"""How does a net learn? Optimizers, the loop of training, and data sets to learn from."""
