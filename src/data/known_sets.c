#include "data/known_sets.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define QWEN_REPO "github.com/QwenLM/Qwen2.5-Math has it as JSONL: evaluation/data/"

const rt_known_set RT_KNOWN_SETS[] = {
    {.name = "aime_1983_2023",
     .title = "AIME 1983-2023, the distillation set",
     .repo = "di-zhang-fdu/AIME_1983_2024",
     .files = "AIME_Dataset_1983_2024.csv",
     .elsewhere = "The Hub's file also has 14 problems of 2024, which are left out; 56 problems of these years are "
                  "missing from it",
     .licence = "MIT on its card, which adds: a benchmark, not to be used in training",
     .count = 919,
     .sha256 = "dfc7c3e2ceffb556de541ce9f63614a677e1360e40bde9ba5ad7ba1fecc6fd57",
     .rule = RT_ANSWER_INTEGER,
     .first_year = 1983,
     .last_year = 2023},
    {.name = "aime_2024",
     .title = "AIME 2024 (I and II)",
     .elsewhere = QWEN_REPO "aime24/test.jsonl; AI-MO/aimo-validation-aime on the Hub is Parquet",
     .licence = "MIT on that folder",
     .count = 30,
     .sha256 = "c6f87be25978cc3d07b26d0dcf50eccd4f1b5b0ff5a3811218c4a8918298fe0a",
     .rule = RT_ANSWER_INTEGER,
     .first_year = 2024,
     .last_year = 2024},
    {.name = "aime_2025",
     .title = "AIME 2025 (I and II)",
     .repo = "opencompass/AIME2025",
     .files = "aime2025-I.jsonl,aime2025-II.jsonl",
     .elsewhere = "Figures are left out there",
     .licence = "MIT on its card",
     .count = 30,
     .sha256 = "de8f6d970051e792f89fcbf9835ea669112261707b0c87df4e113bf775ea1d84",
     .rule = RT_ANSWER_INTEGER,
     .first_year = 2025,
     .last_year = 2025},
    {.name = "hmmt_feb_2025",
     .title = "HMMT February 2025",
     .elsewhere = "MathArena/hmmt_feb_2025 on the Hub is Parquet; github.com/eth-sri/matharena had the problems as "
                  "files under data/hmmt/hmmt_feb_2025",
     .licence = "CC BY-NC-SA 4.0 on its card on the Hub; the GitHub repository is MIT",
     .count = 30,
     .sha256 = "1e5e73edb229211fac03bf5a7f5dec2c1a6cad6381e37465e67aa8ba85f2dacd",
     .rule = RT_ANSWER_TEXT},
    {.name = "math500",
     .title = "MATH-500, the subset of MATH's test set that PRM800K uses",
     .repo = "HuggingFaceH4/MATH-500",
     .files = "test.jsonl",
     .elsewhere = "MATH itself: github.com/hendrycks/math",
     .licence = "MIT (MATH)",
     .count = 500,
     .sha256 = "4f93d932deb4300f36ced77718955edeaa77f748c2322bdcd9b90eee92def7e4",
     .rule = RT_ANSWER_TEXT},
    {.name = "gpqa_diamond",
     .title = "GPQA Diamond, with its options in the order of a hash of the question",
     .repo = "Idavidrein/gpqa",
     .files = "gpqa_diamond.csv",
     .elsewhere = "Access must be asked for on the Hub; its authors ask not to post the questions in the open",
     .licence = "CC BY 4.0 on its card",
     .count = 198,
     .rule = RT_ANSWER_CHOICE},
    {.name = "gsm8k_test",
     .title = "GSM8K, test",
     .elsewhere = "github.com/openai/grade-school-math has it as JSONL: grade_school_math/data/test.jsonl",
     .licence = "MIT",
     .count = 1319,
     .sha256 = "a52f7b22128e9b3e96dd00091e79669275e6347aeeaa1c2973e519f75f5ca06a",
     .rule = RT_ANSWER_HASHES},
    {.name = "gsm8k_train",
     .title = "GSM8K, training",
     .elsewhere = "github.com/openai/grade-school-math has it as JSONL: grade_school_math/data/train.jsonl",
     .licence = "MIT",
     .count = 7473,
     .sha256 = "a66c76b75696d97bda06c888fcf9a3d8e90c987a810a7d061818675023754253",
     .rule = RT_ANSWER_HASHES},
    {.name = "amc23",
     .title = "AMC 12 2023 (A and B), reworded to ask for an integer",
     .elsewhere = QWEN_REPO "amc23/test.jsonl; AI-MO/aimo-validation-amc on the Hub is Parquet",
     .licence = "MIT on that folder",
     .count = 40,
     .sha256 = "c8f9b5375c67dde9c47e928c4fc0639b524b2348f4cbf834b68dd1e72575e190",
     .rule = RT_ANSWER_INTEGER,
     .first_year = 2023,
     .last_year = 2023},
    {0}};

/* Other names that papers and harnesses use, without case, '-', '_' and blanks. */
static const struct {
    const char *alias, *name;
} ALIASES[] = {
    {"aime", "aime_1983_2023"},
    {"aime19832023", "aime_1983_2023"},
    {"aime24", "aime_2024"},
    {"aime2024", "aime_2024"},
    {"aime25", "aime_2025"},
    {"aime2025", "aime_2025"},
    {"hmmt", "hmmt_feb_2025"},
    {"hmmt25", "hmmt_feb_2025"},
    {"hmmtfeb25", "hmmt_feb_2025"},
    {"hmmtfeb2025", "hmmt_feb_2025"},
    {"math500", "math500"},
    {"gpqa", "gpqa_diamond"},
    {"gpqadiamond", "gpqa_diamond"},
    {"gsm8k", "gsm8k_test"},
    {"gsm8ktest", "gsm8k_test"},
    {"gsm8ktrain", "gsm8k_train"},
    {"amc", "amc23"},
    {"amc23", "amc23"},
    {"amc2023", "amc23"},
};

/* The name without what spellings differ in; false where it is longer than any. */
static bool fold(const char *name, char out[32]) {
    size_t n = 0;
    for (; *name != '\0'; name++) {
        if (*name == '-' || *name == '_' || *name == ' ') continue;
        if (n == 31) return false;
        out[n++] = (char)tolower((unsigned char)*name);
    }
    out[n] = '\0';
    return true;
}

const rt_known_set *rt_known_set_find(const char *name) {
    char folded[32];
    const char *proper = NULL;
    if (!fold(name, folded)) return NULL;
    for (size_t i = 0; i < sizeof ALIASES / sizeof *ALIASES && proper == NULL; i++)
        if (strcmp(ALIASES[i].alias, folded) == 0) proper = ALIASES[i].name;
    for (const rt_known_set *set = RT_KNOWN_SETS; set->name != NULL && proper != NULL; set++)
        if (strcmp(set->name, proper) == 0) return set;
    return NULL;
}
