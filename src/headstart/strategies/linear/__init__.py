"""Linear models on features: fitting, regularisation by cross-validation, temperature, cost."""
