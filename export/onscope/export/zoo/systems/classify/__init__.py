"""Systems that classify frames, series and spectra."""
