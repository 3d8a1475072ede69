"""Has the learner got it?"""
