"""How does one thing move? The small explorers, one screen each."""
