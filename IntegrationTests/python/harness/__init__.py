# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""What the tests with real clients share: server processes, a raw Engine.IO client, a browser."""
