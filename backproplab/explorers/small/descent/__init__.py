"""How far should a step go? One screen: rate and optimizer on a loss surface."""
