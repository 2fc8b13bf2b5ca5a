.PHONY: bench-move

bench-move: setup ## what each part of moving a job of 64 MiB costs (needs root)
	@PYTHONPATH=e2e $(BIN)/python -m bench.move $(ARGS)
