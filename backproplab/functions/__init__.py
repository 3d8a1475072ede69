"""What is known of an activation, a loss, an operation? One row each, everything in its columns."""
