.PHONY: bench-network

bench-network: setup ## throughput between two workers over the job network, against the plain pod network (needs root)
	@$(BIN)/python -m bench.network $(ARGS)
