"""The asv suite: every class here takes the device as its first parameter; see ../README.md."""
