# The flag wins over the recipe, wherever it stands: the folder that is missing is the flag's.
printf 'model: from-recipe\n' >recipe.yaml
$RETORT model from-flag --config recipe.yaml
