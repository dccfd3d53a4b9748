"""Systems that segment and detect."""
