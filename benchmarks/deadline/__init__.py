"""A budget of time under scripted load: what is decided, as a picture."""
