# Clusters and images for development; see e2e/cluster.
CLUSTER := PYTHONPATH=e2e $(BIN)/python -m cluster
NAME ?= dev

.PHONY: cluster cluster-delete images

cluster: setup ## make the cluster NAME (dev) of three nodes, as root; installs the Debian packages it lacks
	$(CLUSTER) create --name $(NAME)

cluster-delete: setup ## remove the cluster NAME (dev) and everything it left
	$(CLUSTER) delete --name $(NAME)

images: setup ## build every image into an archive that a cluster can load
	$(CLUSTER) images build
