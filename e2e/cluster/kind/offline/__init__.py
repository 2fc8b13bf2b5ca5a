"""kind on machines that no image registry answers: an engine and nodes out of packages and Go modules."""
