# Over https the certificate is verified: one that nobody vouches for ends the run, one that SSL_CERT_FILE names is let
# through to an answer (of a server that knows no API, so that it is refused as one).
if ! command -v openssl >/dev/null 2>&1; then
    echo '# skipped: no openssl' >&2
    exit 77
fi
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
    -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' >/dev/null 2>&1 || exit 77
: >served
openssl s_server -4 -accept 127.0.0.1:0 -cert cert.pem -key key.pem -HTTP >served 2>&1 &
server=$!
trap 'kill $server 2>/dev/null' EXIT
tries=0
until grep -q '^ACCEPT' served || [ $tries -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
port=$(sed -n 's/^ACCEPT.*:\([0-9]*\)$/\1/p' served | head -n 1)
echo '{"problem": "What is 1 + 1?"}' >p.jsonl
ask() {
    "$RETORT" teach p.jsonl --quiet --base-url "https://127.0.0.1:$port/v1" --model m --store run.db --output t.jsonl \
        --retries 0 --timeout 5 2>&1 | grep -o 'certificate cannot be verified'
}
echo 'unknown'
ask
echo 'known'
SSL_CERT_FILE=$PWD/cert.pem
export SSL_CERT_FILE
ask || echo 'no complaint about the certificate'
