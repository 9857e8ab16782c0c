"""The relay service lives here: it stores and forwards entries between machines.

It knows entries and bytes, never a thought's text, and never imports the app.
"""
