"""The agents that aimem knows how to connect, one module each."""
