"""What an image is built from."""

from cluster.images.dockerfile import sources

TWO_STAGES = """\
# COPY nothing of this line
ARG BASE=debian:forky-slim
FROM ${BASE} AS build
RUN apt-get update && \\
    # a comment between continued lines
    apt-get install -y golang-go
COPY launcher /src
copy --chown=1:2 --chmod=755 go.mod go.sum /src/

FROM debian:forky-slim
COPY --from=build /src/launcher /launcher
COPY ["a file", "another", "/app/"]
ADD https://example.org/data.tar.gz data.txt \\
    /data/
"""


def test_copied_paths_are_listed_and_those_of_other_stages_and_urls_are_not() -> None:
    assert sources(TWO_STAGES) == ["launcher", "go.mod", "go.sum", "a file", "another", "data.txt"]


def test_a_dockerfile_that_copies_nothing_has_no_sources() -> None:
    assert sources('FROM scratch\nCMD ["/x"]\n') == []
