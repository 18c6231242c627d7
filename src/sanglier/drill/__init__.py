"""Break it on purpose and prove what was kept: workloads, histories, checkers."""
