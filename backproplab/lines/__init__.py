"""What does a line of text mean?"""
