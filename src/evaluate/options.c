#include "evaluate/budget.h"
#include "model/model.h"
#include "retort/evaluate.h"

#define ROW(name_, kind, ...)                                                                                          \
    { .name = #name_, .type = RETORT_OPTION_##kind, .offset = offsetof(retort_eval_options, name_), __VA_ARGS__ }

const retort_option retort_eval_option_table[] = {
    ROW(model, STRING, .argument = "DIR", .group = "Input",
        .help = "Model directory; with --base-url what the endpoint calls the model."),
    ROW(adapter, STRING, .argument = "DIR",
        .help = "PEFT folder of a LoRA adapter of the model; applied as in training, not merged."),
    ROW(problems, LIST, .argument = "FILES",
        .help = "Problems, JSONL; several benchmarks as a list, FILE@N for N samples of each problem. Without it and "
                "without --tasks: problems of the world's split."),
    ROW(tasks, LIST, .argument = "LIST",
        .help = "Known sets instead, such as aime_2024@64,math500@4 (names of 'retort data --list'); they stand in "
                "--data-dir as NAME.jsonl, and count and hash must be those that are known."),
    ROW(data_dir, STRING, .default_value = "data", .argument = "DIR", .help = "Where --tasks finds its files."),
    ROW(split, STRING, .default_value = "validation", .argument = "NAME",
        .help = "Split of the world when no file is given: validation, test, hard, transfer, ..."),
    ROW(count, INT, .default_value = "100", .argument = "N", .minimum = 1, .maximum = 1e7,
        .help = "Problems taken from the split."),
    ROW(problems_seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 1e9,
        .help = "Seed that chooses them."),
    ROW(system_prompt, STRING, .argument = "TEXT", .help = RT_HELP_SYSTEM_PROMPT),
    ROW(instruction, STRING, .argument = "TEXT", .help = RT_HELP_INSTRUCTION),
    ROW(output, STRING, .argument = "PATH", .group = "Output",
        .help = "Keep the responses with both graders' verdicts, JSONL, and a manifest beside them; with several "
                "benchmarks a folder."),
    ROW(grader, CHOICE, .default_value = "tolerant", .argument = "NAME", .choices = "strict|tolerant",
        .help = "Whose verdicts avg, pass@k and maj@k count: tolerant, or strict (what rl is rewarded by); both are "
                "always shown."),
    ROW(n, INT, .default_value = "16", .argument = "N", .group = "Sampling", .minimum = 1, .maximum = 4096,
        .help = "Samples of a problem (avg@N)."),
    ROW(seed, INT, .default_value = "1", .argument = "N", .minimum = 0, .maximum = 1e15,
        .help = "Seed of the sampler."),
    ROW(max_new_tokens, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1e7,
        .help = "Longest response, in tokens; 0: 32768 (DeepSeek-R1's), or what the model's context leaves."),
    ROW(temperature, REAL, .default_value = "0.6", .argument = "T", .minimum = 0, .maximum = 100,
        .help = "Divides the logits; 0: greedy. 0.6 is what DeepSeek-R1 and its distillations are evaluated at."),
    ROW(top_p, REAL, .default_value = "0.95", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Nucleus: smallest set of tokens with this mass (0.95: DeepSeek-R1's)."),
    ROW(top_k, INT, .default_value = "0", .argument = "K", .minimum = 0, .maximum = 1e6,
        .help = "Most probable tokens kept; 0: all."),
    ROW(min_p, REAL, .default_value = "0", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Tokens kept have at least P times the top probability."),
    ROW(ban_list, LIST, .argument = "LIST",
        .help =
            "Categories of the shipped lexicons, lexicons or files of words and phrases that no response may hold."),
    ROW(ban_mode, CHOICE, .default_value = "hard", .argument = "NAME", .choices = "hard|penalty|cap",
        .help = "What becomes of tokens that would spell one: never sampled, ban_penalty off their logits, or together "
                "at most ban_cap of the probability."),
    ROW(ban_penalty, REAL, .default_value = "5", .argument = "X", .minimum = 0, .maximum = 1000,
        .help = "Taken off each such logit where ban_mode is penalty."),
    ROW(ban_cap, REAL, .default_value = "0.01", .argument = "P", .minimum = 0, .maximum = 1,
        .help = "Most that such tokens may have together where ban_mode is cap."),
    ROW(budget, LIST, .argument = "LIST", .group = "Length",
        .help = "Budgets of thinking tokens: at each, a thought that goes on is closed and the answer asked for; the "
                "score against the budget is shown as a curve."),
    ROW(budget_text, STRING, .argument = "TEXT",
        .help = "What closes a thought, \\n for a line feed; by default a line feed, </think>, an empty line, and 'The "
                "final answer is \\boxed{'."),
    ROW(answer_tokens, INT, .default_value = "256", .argument = "N", .minimum = 1, .maximum = 1e6,
        .help = "Tokens that the answer behind a closed thought may have."),
    ROW(extend, STRING, .argument = "PATH",
        .help = "Output of a run with a smaller --max-new-tokens: only the responses that were cut go on."),
    ROW(replay, STRING, .argument = "FILE",
        .help = "Manifest of a run to make again: same bytes, or what differs. Its options count, but for --output, "
                "--batch, --threads and --memory-limit; --model, --adapter, --problems and --data-dir say where "
                "things are now."),
    ROW(dtype, CHOICE, .default_value = "auto", .argument = "NAME", .group = "Machine", .choices = RT_WEIGHTS_CHOICES,
        .help =
            "How weights are held: as the file has them (auto: never changes a result), or rounded to bf16 or int8."),
    ROW(kv_dtype, CHOICE, .default_value = "f32", .argument = "NAME", .choices = "f32|bf16",
        .help = "How the cache holds keys and values; bf16 takes half the memory and rounds them, as rl does when told "
                "the same."),
    ROW(batch, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 4096,
        .help = "Responses sampled at once; never changes a result. 0: up to 256, as half of the free memory holds."),
    ROW(threads, INT, .default_value = "0", .argument = "N", .minimum = 0, .maximum = 1024,
        .help = "Threads (0: all processors); never changes a result."),
    ROW(memory_limit, STRING, .argument = "SIZE", .help = RT_HELP_MEMORY_LIMIT),
    RETORT_ENDPOINT_ADDRESS_ROWS(retort_eval_options, endpoint, "A model at an endpoint"),
    ROW(store, STRING, .argument = "FILE",
        .help =
            "SQLite file that keeps every reply, from which a run that was stopped goes on, with scores, figures and "
            "the manifest; a local run's responses go there too where it is given."),
    ROW(template_dir, STRING, .argument = "DIR",
        .help = "With --api completions: model folder whose chat template renders the prompts."),
    RETORT_ENDPOINT_NETWORK_ROWS(retort_eval_options, endpoint),
    {0}};
