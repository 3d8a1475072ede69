"""How does a net learn? Updates, the loop that repeats them, the data they learn from."""
