FROM python:3.13-slim AS build
COPY . /src
RUN pip wheel --no-cache-dir --wheel-dir /wheels /src

FROM python:3.13-slim
# The ids of the official Redis image, so that volumes can be shared with it.
RUN groupadd --system --gid 999 redis \
    && useradd --system --uid 999 --gid redis --home-dir /data --no-create-home --shell /usr/sbin/nologin redis \
    && install --directory --owner=redis --group=redis /data
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels pyredis-server \
    && ln -s "$(command -v pyredis-server)" /usr/local/bin/redis-server
COPY docker-entrypoint.sh /usr/local/bin/
VOLUME /data
WORKDIR /data
EXPOSE 6379
# Healthy while the server answers; -NOAUTH is an answer, -LOADING is not.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", "\
import socket; s = socket.create_connection(('127.0.0.1', 6379), 2); s.sendall(b'PING\\r\\n'); \
raise SystemExit(s.recv(64)[:7] not in (b'+PONG\\r\\n', b'-NOAUTH'))"]
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
