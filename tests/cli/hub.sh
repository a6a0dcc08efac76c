# Sourced by cases that pull: a Hub of our own (tests/hub/server.h) on the loopback interface, which ends with the case.
[ -x "${HUB_SERVER-}" ] || exit 77
mkfifo hold
"$HUB_SERVER" address log "$MODEL" <hold >/dev/null 2>&1 &
exec 3>hold
rm hold
i=0
while [ ! -f address ] && [ $i -lt 200 ]; do
    sleep 0.05
    i=$((i + 1))
done
[ -f address ] || exit 77
unset HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_TOKEN_PATH HF_HUB_OFFLINE TRANSFORMERS_OFFLINE
unset HF_HUB_DISABLE_IMPLICIT_TOKEN http_proxy HTTP_PROXY all_proxy ALL_PROXY
HF_ENDPOINT=$(cat address)
HF_HOME=$PWD/home
export HF_ENDPOINT HF_HOME
