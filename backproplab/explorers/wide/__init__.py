"""How does a network move that is too large for single units? In heat cells: the kernel computes, the page draws."""
