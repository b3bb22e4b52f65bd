# docker build --build-arg PLATFORM=cpu --tag triptych:cpu .      (or cuda, which is the default)
# docker run --gpus all --shm-size 2g -p 50051:50051 triptych:cuda Qwen/Qwen2.5-Omni-7B --max-model-len 8192
#
# One base for both platforms and for the build: the sidecar links Debian's gRPC, so it must run on the
# release that built it (vLLM's own image is an older Ubuntu). The CUDA libraries come with
# requirements/cuda.txt, the driver from the host.
ARG BASE=python:3.11-slim-bookworm
ARG PLATFORM=cuda

FROM ${BASE} AS sidecar
WORKDIR /opt/triptych
COPY scripts/setup_system.sh scripts/
RUN scripts/setup_system.sh build
COPY scripts/build_sidecar.sh scripts/
COPY proto proto
COPY sidecar sidecar
RUN scripts/build_sidecar.sh build/sidecar -DTRIPTYCH_TESTS=OFF

FROM ${BASE} AS runtime
ARG PLATFORM
WORKDIR /opt/triptych
COPY scripts/setup_system.sh scripts/
RUN scripts/setup_system.sh runtime && rm -rf /var/lib/apt/lists/*
# Gigabytes that change seldom, before the sources that change often.
COPY scripts/setup_python.sh scripts/
COPY requirements requirements
RUN UV_NO_CACHE=1 scripts/setup_python.sh "requirements/${PLATFORM}.txt"

COPY LICENSE pyproject.toml ./
COPY scripts/install_project.sh scripts/
COPY gen gen
COPY clients/python/triptych_client clients/python/triptych_client
COPY service service
COPY demo/model demo/model
RUN UV_NO_CACHE=1 scripts/install_project.sh \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/triptych triptych
COPY --from=sidecar /opt/triptych/build/sidecar/triptych-tokenizer build/sidecar/

# HOME holds what is downloaded and compiled: mount a volume there to keep it.
ENV PATH=/opt/triptych/.venv/bin:$PATH \
    HOME=/var/lib/triptych \
    PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001
WORKDIR /var/lib/triptych
EXPOSE 50051
# The start period is a large model's way from the hub to the GPU.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15m --retries=3 \
    CMD ["triptych", "health"]
ENTRYPOINT ["triptych", "serve", "--listen", "0.0.0.0:50051"]
