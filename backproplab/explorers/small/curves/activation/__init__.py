"""What does an activation do to a slope? Its curve, and below it its slope, with a tangent that moves."""
