"""What does a line of text mean? Its tree, read once; LaTeX, pictures, SymPy and operations are written from it."""
