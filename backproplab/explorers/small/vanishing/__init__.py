"""Why do deep nets not learn? One screen: how large delta and the gradients are in each layer, and the factors that make them so."""
