"""Rules that are applied while the file is read: text, YAML, shape and types."""

from __future__ import annotations

from sanglier.spec.rules.base import Rule

RULES = (
    Rule(
        code="SG-SPEC-001",
        title="The file cannot be read",
        explanation="There is no file of that name, it is a directory, or you may not read it.",
    ),
    Rule(
        code="SG-SPEC-002",
        title="The file is UTF-8 text",
        explanation="YAML files are UTF-8. A file of an old editor in Latin-1 or UTF-16 is "
        "converted with iconv(1): `iconv -f latin1 -t utf-8 OLD > NEW`.",
    ),
    Rule(
        code="SG-SPEC-004",
        title="The file is one YAML document",
        explanation="The text breaks the syntax of YAML 1.2. The position is where reading could "
        "not go on; the cause often stands in the line before. Usual causes: a tab in the "
        "indentation, a bracket or quote that is not closed, a colon and a space inside a value "
        "that is not quoted.",
    ),
    Rule(
        code="SG-SPEC-005",
        title="At the top there are keys with values",
        explanation="The file is empty, or its top level is a list or a single value.",
    ),
    Rule(
        code="SG-SPEC-006",
        title="The file has a reasonable size and depth",
        explanation="Files above 256 KiB, nesting above 16 levels and aliases that multiply into "
        "more than 20,000 values are refused, so that a broken or hostile file costs nothing.",
    ),
    Rule(
        code="SG-SPEC-007",
        title="A key is written once",
        explanation="YAML readers silently take the last of two equal keys. That is how a second "
        "volume of the same name makes the first one disappear, so it is refused.",
    ),
    Rule(
        code="SG-SPEC-008",
        title="Tags and compound keys are not used",
        explanation="Nothing in a cluster file needs YAML tags (`!name`), keys that are lists or "
        "mappings, or `<<` with anything but a mapping. Anchors, aliases and `<<: *anchor` work.",
    ),
    Rule(
        code="SG-SPEC-010",
        title="Every key is known",
        explanation="A misspelled key would otherwise be ignored, and its default used instead.",
    ),
    Rule(
        code="SG-SPEC-011",
        title="Nothing needed is missing",
        explanation="The key has no default that could be guessed.",
    ),
    Rule(
        code="SG-SPEC-012",
        title="A value has the right type",
        explanation="Values are not converted. Text that looks like a number, `true` or nothing "
        "is put in quotes. A single address in a list still needs brackets.",
    ),
    Rule(
        code="SG-SPEC-013",
        title="A choice is one of those offered",
        explanation="The key takes one of a few words, in lower case, which the message lists.",
    ),
    Rule(
        code="SG-SPEC-014",
        title="A number is in its range",
        explanation="The limits are those of the tools: o2cb node numbers 0 to 254, OCFS2 node "
        "slots 1 to 255, DRBD minors 0 to 1048575, unprivileged TCP ports 1024 to 65535.",
    ),
    Rule(
        code="SG-SPEC-047",
        title="A server has at least one storage network address",
        explanation="Without an address in `san` no application server could reach a target.",
    ),
)
