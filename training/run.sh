#!/usr/bin/env bash
# train.py with two processes of one thread each: run.sh DATA OUT --minutes N ...
set -euo pipefail
export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=${PORT:-29511} OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
cd "$(dirname "$0")"
RANK=1 "${PYTHON:-python}" train.py "$@" &
RANK=0 "${PYTHON:-python}" train.py "$@"
wait
