"""The application over HTTP: scripts, installers' answers, callbacks, pages, API, metrics."""
