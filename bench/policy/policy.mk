.PHONY: bench-policy

bench-policy: setup ## the policy against Tiresias and SRTF on public traces; renews the table in docs/scheduling.md
	@$(BIN)/python -m bench.policy $(ARGS)
