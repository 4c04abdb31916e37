"""What the tests with real clients share: server processes, a raw Engine.IO client, a browser."""
