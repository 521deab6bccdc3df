"""Which images train, choose and judge: splits, folds, groups, nested subsets, the order of training."""
