printf 'seed: 1\nmodel: x\nseed: 2\n' >recipe.yaml
$RETORT distill --config recipe.yaml
