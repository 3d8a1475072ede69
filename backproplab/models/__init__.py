"""Who makes terms? A graph of scalar lines, a dense network of layers."""
