"""Which loss goes with which output? Pairs of them over z, with the slope that flows back and its two factors."""
