# Clusters and images for development; see e2e/cluster.
# CLUSTER itself is for the caller: kind or embedded; unset, kind where a Docker engine answers.
CLUSTERS := PYTHONPATH=e2e $(BIN)/python -m cluster
NAME ?= dev

.PHONY: cluster cluster-delete images kind-offline kind-offline-delete

cluster: setup ## make the cluster NAME (dev) of three nodes, as root; installs the Debian packages it lacks
	$(CLUSTERS) create --name $(NAME)

cluster-delete: setup ## remove the cluster NAME (dev) and everything it left
	$(CLUSTERS) delete --name $(NAME)

images: setup ## build every image into an archive that a cluster can load
	$(CLUSTERS) images build

kind-offline: setup ## a Docker engine and a node image for CLUSTER=kind where no image registry answers, as root
	$(CLUSTERS).kind.offline create

kind-offline-delete: setup ## remove that engine with its clusters
	$(CLUSTERS).kind.offline delete
