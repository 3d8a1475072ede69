"""What does a curve over z tell: an activation and its slope, a loss and its slope?"""
