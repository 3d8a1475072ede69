"""How does one write the derivation? Steps as data, and their LaTeX."""
