"""GPUs that nodes without any declare, so that the scheduler and the operator can count them."""

from pathlib import Path

RESOURCE = "nvidia.com/gpu"
# How many a node declares: a label that its kubelet registers it with, the same whoever makes the cluster.
LABEL = "e2e.ergosphere.dev/gpus"
# Runs for as long as the cluster does; its arguments are the kubectl command to use.
KEEPER = Path(__file__).with_name("declare-gpus.sh")
