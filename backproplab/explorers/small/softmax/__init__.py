"""Why does softmax have a table of slopes, and where does it go in P - Y? One screen: logits, probabilities, the Jacobian."""
