"""What is a layer made of: which lines, in numbers, on paper and as text, and which edges?"""
