.PHONY: bench-store

bench-store: setup ## the checkpoint store against cp, restic and borg (needs root; installs the Debian packages it lacks)
	@PYTHONPATH=e2e OPENBLAS_NUM_THREADS=1 $(BIN)/python -m bench.store $(ARGS)
