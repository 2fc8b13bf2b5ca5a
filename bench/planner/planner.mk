.PHONY: bench-planner

bench-planner: setup ## how long the planner takes for 1,000, 10,000 and 100,000 GPUs, and its memory
	@$(BIN)/python -m bench.planner $(ARGS)
