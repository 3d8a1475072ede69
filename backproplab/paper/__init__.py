"""How does one write the derivation?"""
