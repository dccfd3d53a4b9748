"""Many microscopes before few GPUs: a simulation, and at small scale what real runs make of the same numbers."""
