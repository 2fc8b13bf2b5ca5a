"""Published policies, small, to compare the planner with."""
