"""The decision core driven by a trace instead of a cluster."""
