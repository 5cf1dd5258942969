# The same root file system as scripts/image packs: docker build -t covey:dev .
FROM debian:12 AS build
COPY . /covey
RUN apt-get update && cd /covey && scripts/setup && scripts/build release covey && scripts/image --root /image

FROM scratch
COPY --from=build /image/ /
ENV PATH=/usr/bin HOME=/tmp
USER 65532:65532
ENTRYPOINT ["/usr/bin/covey"]
