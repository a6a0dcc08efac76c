printf 'seed: [1\n' >recipe.yaml
$RETORT distill --config recipe.yaml
