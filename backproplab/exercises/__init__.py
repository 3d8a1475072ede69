"""Has the learner got it? The exercises of the notebooks, and the replies to answers."""
