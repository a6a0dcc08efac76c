printf 'model: x\nlearning_rat: 1e-3\n' >recipe.yaml
$RETORT distill --config recipe.yaml
