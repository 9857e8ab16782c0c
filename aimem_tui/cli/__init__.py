"""The command line: how the workspace is spelled in a shell."""
