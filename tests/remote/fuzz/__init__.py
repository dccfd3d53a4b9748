"""Fuzzing of what comes over the wire; nothing of onscope is imported here, so that it can be instrumented later."""
