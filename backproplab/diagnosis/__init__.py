"""Which term is wrong?"""
