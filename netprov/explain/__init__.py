"""What a machine would get at every stage, and why: the same decisions the server takes, none of its effects."""
