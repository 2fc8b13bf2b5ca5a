.PHONY: bench-overhead

bench-overhead: setup ## a job that is never moved against the same program in a plain pod (needs root)
	@PYTHONPATH=e2e $(BIN)/python -m bench.overhead $(ARGS)
