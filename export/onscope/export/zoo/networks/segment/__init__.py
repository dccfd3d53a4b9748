"""Networks that answer for each pixel: classes, probabilities, heat maps of key points."""
