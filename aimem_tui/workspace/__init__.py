"""The workspace: the one door through which command line, app and agents reach thoughts."""
