"""What the demo, the end-to-end tests and the benchmarks do to a cluster, in the words of a user."""
