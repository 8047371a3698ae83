"""What a machine would get at every stage, and why: the server's decisions, none of its effects."""
