"""Names that the demo, the tests and the benchmarks share."""

OPERATOR_NAMESPACE = "ergosphere-system"
OPERATOR_SELECTOR = "app.kubernetes.io/name=ergosphere"
RELEASE = "ergosphere"
DIGITS_IMAGE = "ergosphere.dev/digits:dev"
WORKER_IMAGE = "ergosphere.dev/e2e-worker:dev"
DDP_IMAGE = "ergosphere.dev/ddp:dev"
