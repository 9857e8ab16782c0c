"""Setting a project up: templates rendered into a folder, and coding agents connected to memory."""
