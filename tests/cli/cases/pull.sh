# A model from a Hub: into the cache, by its name afterwards, offline, into a folder; and what refusals look like.
. "$ROOT/tests/cli/hub.sh"
plainly() { sed "s|$HF_ENDPOINT|HUB|g"; }
$RETORT pull org/base
$RETORT pull org/base --json | sed 's/"bytes": [0-9]*/"bytes": N/'
(cd home/hub && find . -type l -o -type f ! -name '*.lock' | LC_ALL=C sort | sed 's|/blobs/.*|/blobs/HASH|' | uniq -c | sed 's/^ *//')
cat home/hub/models--org--base/refs/main
echo
for blob in home/hub/models--org--base/blobs/????????????????????????????????????????????????????????????????; do
    [ "$(sha256sum <"$blob" | cut -d ' ' -f 1)" = "$(basename "$blob")" ] && echo 'the blob has its name'
done
cmp home/hub/models--org--base/snapshots/*/model.safetensors "$MODEL/model.safetensors" && echo 'the weights are the same'
$RETORT model org/base --json >by-name
$RETORT model "$MODEL" --json >by-path
grep -v '"path"' by-name >a
grep -v '"path"' by-path >b
sed -i '/bytes_on_disk/d' a b
cmp a b && echo 'the model is known by its name'
echo 'a b' | $RETORT tokenize --model org/base@main --json | sed 's/[0-9].*[0-9]/.../'
: >log
$RETORT pull org/base --offline
HF_HUB_OFFLINE=yes $RETORT pull org/tiny
echo "exit status $?"
cat log
$RETORT pull org/tiny --local-dir here --include '*.json' --exclude 'tok*' --revision v1
ls here
$RETORT model org/other
echo "exit status $?"
printf 'hf_notatokenofanyone' >token
for repo in fault/gated org/none; do
    $RETORT pull $repo 2>&1 | plainly
done
$RETORT pull org/tiny --token-file token 2>&1 | plainly
$RETORT pull org/tiny --revision nope
echo "exit status $?"
$RETORT pull fault/hash --retries 0
echo "exit status $?"
find home/hub/models--fault--hash -size +200k -o -path '*refs*'
