# docker build -t magpie . && docker run -p 6379:6379 magpie [--OPTION VALUE ...]
FROM debian:12-slim AS build
WORKDIR /src
COPY scripts/packages.sh scripts/
RUN scripts/packages.sh build
COPY . .
RUN cmake --preset release -DMAGPIE_TESTS=OFF \
 && cmake --build --preset release --target magpie-server magpiectl \
 && strip --strip-debug build/release/bin/magpie-server build/release/bin/magpiectl

FROM debian:12-slim
COPY --from=build /src/scripts/packages.sh /tmp/
COPY --from=build /src/build/release/bin/magpie-server /src/build/release/bin/magpiectl /usr/local/bin/
# ldd: a library that packages.sh does not name fails here and not at the first start.
RUN /tmp/packages.sh runtime \
 && rm -rf /tmp/packages.sh /var/lib/apt/lists/* \
 && ldd /usr/local/bin/magpie* && ! ldd /usr/local/bin/magpie* | grep -q 'not found' \
 && useradd --system --uid 999 --home-dir / --no-create-home magpie
# Who can reach a container is the network's business: listen on all addresses without protected mode, as the usual
# images do. Set --requirepass where that is not enough, or mount another file here.
RUN printf '%s\n' 'bind * -::*' 'protected-mode no' >/etc/magpie.conf
USER magpie
EXPOSE 6379
ENTRYPOINT ["magpie-server", "/etc/magpie.conf"]
