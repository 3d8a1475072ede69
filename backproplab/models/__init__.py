"""Who makes terms?"""
