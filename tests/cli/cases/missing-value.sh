$RETORT distill --model --dataset x
