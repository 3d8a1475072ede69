"""What does a net learn of points in the plane? One screen: its boundary while it trains."""
