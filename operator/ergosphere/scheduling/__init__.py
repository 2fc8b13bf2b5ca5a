"""The decision core: pure functions over plain values. No Kubernetes, no clock, no I/O."""
