"""The pure vocabulary: addresses, facts, steps, plans, problems, events.  No I/O."""
