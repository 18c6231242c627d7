"""The layers of the stack, bottom first; read base.py first."""
