# A download that is killed goes on where it stopped, also when two programs then want the same model at once.
. "$ROOT/tests/cli/hub.sh"
partial_size() {
    cat home/hub/models--fault--slow/blobs/*.incomplete 2>/dev/null | wc -c
}
wait_for_bytes() {
    i=0
    while [ "$(partial_size)" -lt "$1" ] && [ $i -lt 400 ]; do
        sleep 0.02
        i=$((i + 1))
    done
    [ "$(partial_size)" -ge "$1" ] || echo 'nothing arrives'
}
$RETORT pull fault/slow --quiet &
pid=$!
wait_for_bytes 300000
kill -9 $pid
wait $pid 2>/dev/null
before=$(partial_size)
$RETORT pull fault/slow --quiet 2>stopped &
pid=$!
wait_for_bytes $((before + 300000))
kill -INT $pid
wait $pid
echo "exit status $?"
cat stopped
$RETORT pull fault/slow --quiet >first &
pid=$!
$RETORT pull fault/slow --quiet >second
echo "exit status $?"
wait $pid
echo "exit status $?"
cmp first second && cat first
# The killed one asked for the whole, the other two for what was missing; the fourth found it there.
grep '^cdn' log | sed 's/bytes=.*-/bytes=FROM-/'
blob=$(readlink -f home/hub/models--fault--slow/snapshots/*/model.safetensors)
[ "$(sha256sum <"$blob" | cut -d ' ' -f 1)" = "$(basename "$blob")" ] && echo 'the blob has its name'
find home -name '*.incomplete' -o -name '*.tmp'
