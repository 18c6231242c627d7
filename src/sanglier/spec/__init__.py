"""The file that a user writes: model, loading with positions, rules."""
