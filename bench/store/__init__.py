"""The benchmark of the checkpoint store."""
