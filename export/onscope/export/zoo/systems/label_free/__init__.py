"""Systems that tell fluorescence from transmitted light."""
