"""`make bench-overhead`: what it costs a job that it could be moved, when it is not."""
