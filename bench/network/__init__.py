"""`make bench-network`: how fast the job network is, against the pod network that carries it."""
