"""What the base model brought in and where the chosen model fails: probes, counterfactuals, slices."""
