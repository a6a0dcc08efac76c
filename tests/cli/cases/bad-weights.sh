# A model file may hold anything; each lie is one sentence and exit status 2.
. "$ROOT/tests/cli/fixture.sh"
make_model
file=bad/model.safetensors

fresh() {
    rm -rf bad
    cp -r model bad
}

# spoil LABEL SED_SCRIPT: header text replaced by text of the same length
spoil() {
    fresh
    sed "$2" model/model.safetensors >$file
    cmp -s model/model.safetensors $file && echo "nothing changed"
    attempt "$1" model bad
}

fresh
rm $file
attempt 'no weights' model bad
fresh
head -c 5 model/model.safetensors >$file
attempt 'five bytes' model bad
fresh
head -c 12000 model/model.safetensors >$file
attempt 'truncated data' model bad
fresh
printf '\000\000\000\000\000\000\000\200{}' >$file
attempt 'header of 2^63 bytes' model bad
fresh
printf 'more' >>$file
attempt 'trailing bytes' model bad
spoil 'overlapping offsets' 's/\[9600,9632\]/[9568,9600]/'
spoil 'offsets outside the file' 's/\[14336,14368\]/[94336,94368]/'
spoil 'offsets backwards' 's/\[9600,9632\]/[9632,9600]/'
spoil 'unknown dtype' 's/"BF16","shape":\[300,16\]/"BF99","shape":[300,16]/'
spoil 'unfit dtype' 's/"BF16","shape":\[300,16\]/"I16" ,"shape":[300,16]/'
spoil 'wrong shape' 's/\[300,16\]/[16,300]/'
spoil 'shape that overflows' 's/"shape":\[32,16\],"data_offsets":\[11264,12288\]/"shape":[9223372036854775807,9],"data_offsets":0/'
spoil 'missing tensor' 's/model.norm.weight/model.form.weight/'
spoil 'no JSON' 's/{"__metadata__"/["__metadata__"/'
