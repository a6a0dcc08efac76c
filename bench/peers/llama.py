"""Prefill, decoding and parallel decoding of a GGUF file with llama.cpp (through llama-cpp-python's C interface).

    python llama.py FILE.gguf CONTEXT SEQUENCES THREADS
"""
import ctypes
import sys

import llama_cpp
import numpy as np

from protocol import serve, timed


class Batch:
    """llama_batch with room for `size` tokens."""

    def __init__(self, size):
        self.batch = llama_cpp.llama_batch_init(size, 0, 1)

    def fill(self, rows):
        """rows: (token, position, sequences, wants logits)"""
        for i, (token, position, sequence, want) in enumerate(rows):
            self.batch.token[i], self.batch.pos[i], self.batch.logits[i] = token, position, want
            self.batch.n_seq_id[i] = 1
            self.batch.seq_id[i][0] = sequence
        self.batch.n_tokens = len(rows)
        return self.batch


def main():
    file, context, sequences, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    silent = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(file.encode(), llama_cpp.llama_model_default_params())
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch, params.n_seq_max = context, 2048, 512, sequences
    params.n_threads = params.n_threads_batch = threads
    params.kv_unified = True  # sequences share the cache of a common prompt
    ctx = llama_cpp.llama_init_from_model(model, params)
    vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    memory = llama_cpp.llama_get_memory(ctx)
    batch = Batch(2048)
    rng = np.random.default_rng(1)

    def run(rows):
        status = llama_cpp.llama_decode(ctx, batch.fill(rows))
        if status != 0:
            raise RuntimeError(f"llama_decode gave {status}")
        llama_cpp.llama_synchronize(ctx)

    def feed(count, sequence):
        for at in range(0, count, 2048):
            rows = [(i * 31 % vocab, i, sequence, i == count - 1) for i in range(at, min(count, at + 2048))]
            run(rows)

    def draw(row):
        """A token by its probability, as the engine draws it: the softmax of a row of logits."""
        logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(ctx, row), (vocab,))
        p = np.exp(logits - logits.max())
        return int(min(vocab - 1, np.searchsorted(np.cumsum(p), rng.random() * p.sum())))

    def prefill(tokens, _threads):
        llama_cpp.llama_memory_clear(memory, True)
        return timed(lambda: feed(int(tokens), 0))

    def decode(count, prefix, _threads):
        llama_cpp.llama_memory_clear(memory, True)
        feed(int(prefix), 0)

        def tokens():
            for i in range(int(count)):
                run([(7, int(prefix) + i, 0, True)])
        return timed(tokens)

    def rollout(prompts, n, prefix, fresh, _threads):
        prompts, n, prefix, fresh = int(prompts), int(n), int(prefix), int(fresh)
        llama_cpp.llama_memory_clear(memory, True)

        def work():
            ids = [0] * (prompts * n)
            for p in range(prompts):
                feed(prefix, p * n)
                first = [draw(-1) for _ in range(n)]
                ids[p * n:(p + 1) * n] = first
                for s in range(1, n):
                    llama_cpp.llama_memory_seq_cp(memory, p * n, p * n + s, 0, prefix)
            for i in range(fresh - 1):
                run([(ids[s], prefix + i, s, True) for s in range(prompts * n)])
                ids = [draw(s) for s in range(prompts * n)]
        return timed(work)

    serve({"prefill": prefill, "decode": decode, "rollout": rollout}, llama_cpp=llama_cpp.__version__,
          system=llama_cpp.llama_print_system_info().decode())


main()
