"""Templates made into loaders' scripts and installers' answers."""
