"""The Python runner (../../PROTOCOL.md). A package, so that its modules never shadow those of a function."""
