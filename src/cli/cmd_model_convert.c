#include "cli.h"
#include "retort/model.h"

static retort_status run(const void *options, const invocation *call, retort_error *err) {
    (void)call;
    return retort_model_convert(options, err);
}

const command command_model_convert = {
    .name = "model convert",
    .summary = "writes a model as a Hugging Face folder or as a GGUF file",
    .description =
        "Reads a Hugging Face directory or a GGUF file (weights in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, "
        "Q5_K or Q6_K, decoded exactly) and writes the model with its tokenizer and chat template, so that "
        "transformers, vLLM, llama.cpp or Ollama loads it.\n\n"
        "What is written appears whole or not at all. A model that the other format cannot express is refused with the "
        "reason, never written in part.",
    .examples = "retort model convert --in SmolLM2-135M-Instruct.Q4_1.gguf --out smollm2\ta folder for transformers\n"
                "retort model convert --in out/student --out student.gguf --dtype q8_0\ta file for llama.cpp\n",
    .table = retort_convert_option_table,
    .options_size = sizeof(retort_convert_options),
    .run = run,
};
