"""Which term is wrong? Each mistake of the table is made in turn, its numbers laid beside the claim."""
