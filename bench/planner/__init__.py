"""`make bench-planner`: how long a plan takes, and what it needs of memory, against the size of the fleet."""
