"""The asv suite; see ../README.md for its rules."""
