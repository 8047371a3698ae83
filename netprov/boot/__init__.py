"""What machines are and what they get: architectures, loaders, decide(), the install's states."""
