"""How does it look? Readers of terms that return shapes, and the files they become."""
