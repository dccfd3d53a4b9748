"""Systems that restore frames and movies."""
