"""Ruby on Jets: what ``--jets DIR`` derives from an app, and what it refuses."""
