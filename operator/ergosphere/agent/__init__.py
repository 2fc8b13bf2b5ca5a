"""The sidecar of every worker: obeys the operator, drives the launcher, moves images to and from the store.

A pure core decides, a shell acts. `state` holds what an agent knows, `transition.step` maps (state, input)
to (state, effects); `inputs` and `effects` are its alphabet. `worker` carries the effects out and feeds their
results back; `server`, `launcher`, `network` and `images` are its hands.
"""
