"""What does a step size do to a difference? One screen: three formulas, digit by digit."""
