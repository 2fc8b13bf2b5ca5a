.PHONY: bench-store

bench-store: setup ## the checkpoint store against cp, restic and borg (needs root, CRIU, python3-torch, restic, borgbackup)
	@$(BIN)/python -m bench.store $(ARGS)
