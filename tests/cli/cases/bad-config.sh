# config.json and tokenizer.json that do not fit.
. "$ROOT/tests/cli/fixture.sh"
make_model

# spoil LABEL FILE SED_SCRIPT
spoil() {
    rm -rf bad
    cp -r model bad
    sed "$3" "model/$2" >"bad/$2"
    cmp -s "model/$2" "bad/$2" && echo "nothing changed"
    attempt "$1" eval --quiet --model bad --split test --count 2 --n 2 --max-new-tokens 4
}

spoil 'key missing' config.json '/"hidden_size"/d'
spoil 'key of the wrong type' config.json 's/"hidden_size": 16/"hidden_size": "wide"/'
spoil 'size of zero' config.json 's/"num_attention_heads": 2/"num_attention_heads": 0/'
spoil 'size beyond reason' config.json 's/"hidden_size": 16/"hidden_size": 4611686018427387904/'
spoil 'heads that do not divide' config.json 's/"num_key_value_heads": 1/"num_key_value_heads": 3/'
spoil 'another architecture' config.json 's/"model_type": "qwen2"/"model_type": "mamba"/'
spoil 'broken JSON' config.json 's/"vocab_size"/vocab_size/'
spoil 'end token outside the vocabulary' config.json 's/"eos_token_id": 0/"eos_token_id": 300/'
spoil 'merge of unknown pieces' tokenizer.json 's/"merges": \[/"merges": ["QQ a",/'
spoil 'token outside the vocabulary' tokenizer.json 's/"a": [0-9]*/"a": 4000/'
spoil 'another kind of tokenizer' tokenizer.json 's/"BPE"/"Unigram"/'
rm bad/tokenizer.json
attempt 'no tokenizer' eval --quiet --model bad --split test --count 2 --n 2 --max-new-tokens 4
