"""A campaign as a document, a terminal summary, a page and a table of evidence: all pure."""
