"""Systems that super-resolve."""
