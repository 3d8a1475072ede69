"""How does a page ask, and what does it answer? A number hidden until it is guessed, a loss tuned blind, a tour, another function."""
