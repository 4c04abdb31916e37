# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Not every machine has a container engine; the things that docker-compose.yml and the Dockerfile name must at least exist."""

import re
import subprocess

from harness.process import ROOT, executable

COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Examples/Chat/Dockerfile").read_text()


def options(text: str) -> set[str]:
    """The options that are given to the chat, in lists such as [--port, "3000"]."""
    lists = re.findall(r"(?:command:|ENTRYPOINT|CMD) *\[([^]]*)\]", text)
    return {word for each in lists if "mongod" not in each and "mongosh" not in each for word in re.findall(r"--[a-z-]+", each)}


def test_the_chat_has_the_options_it_is_given() -> None:
    given = options(COMPOSE) | options(DOCKERFILE)
    assert {"--host", "--port", "--node", "--client"} <= given
    known = subprocess.run([str(executable("SocketIOChat")), "--help"], check=True, capture_output=True, text=True).stdout
    for option in given:
        assert f"{option} " in known, option
    assert "MONGODB_URI" in known
    assert set(re.findall(r"environment: *{ *([A-Z_]+):", COMPOSE)) == {"MONGODB_URI"}


def test_the_files_and_products_are_there() -> None:
    for path in re.findall(r"dockerfile: (\S+)", COMPOSE):
        assert (ROOT / path).is_file(), path
    manifest = (ROOT / "Package.swift").read_text()
    products = re.findall(r"--product (\S+)", DOCKERFILE)
    assert products
    for product in products:
        assert f'name: "{product}"' in manifest, product
    for path in re.findall(r"(?:^|[ &])(scripts/\S+)", DOCKERFILE, re.MULTILINE):
        assert (ROOT / path).is_file(), path
    # The file that scripts/bootstrap fetches is the one that the chat serves.
    assert "client_js=\"$cache/socket.io.min.js\"" in (ROOT / "scripts/common.sh").read_text()
    assert ".cache/socket.io.min.js /chat" in DOCKERFILE and '"/chat/socket.io.min.js"' in DOCKERFILE
    # The chat's page is a resource of its target.
    assert (ROOT / "Examples/Chat/Public/index.html").is_file()


def test_the_services_wait_for_services_that_exist() -> None:
    services = set(re.findall(r"^  ([a-z0-9-]+):", COMPOSE.split("\nservices:")[1], re.MULTILINE))
    named = set(re.findall(r"^ +([a-z0-9-]+): *\{ *condition:", COMPOSE, re.MULTILINE))
    named |= set(re.findall(r"^ +([a-z0-9-]+):\n +condition:", COMPOSE, re.MULTILINE))
    assert named and named <= services
    for hosts in re.findall(r"mongodb://([a-z0-9,]+)/", COMPOSE):
        assert set(hosts.split(",")) <= services, hosts


def test_the_image_has_the_libraries_that_the_chat_is_linked_with() -> None:
    """Every library of ours is in a package of the last stage; the name of a package tells its library."""
    linked = subprocess.run(["ldd", str(executable("SocketIOChat"))], check=True, capture_output=True, text=True).stdout
    packages = DOCKERFILE.split("\nFROM ")[-1]
    for library, package in [("libmongoc-1.0", "libmongoc-1.0-0"), ("libbson-1.0", "libbson-1.0-0"), ("libmsgpackc", "libmsgpackc2"), ("libz", "zlib1g")]:
        if f"{library}.so" in linked:
            assert package in packages, package


def test_the_compiler_can_read_the_manifest() -> None:
    """The image's Swift is not older than the manifest's."""
    image = re.search(r"^FROM swift:(\d+)\.(\d+)", DOCKERFILE, re.MULTILINE)
    tools = re.match(r"// swift-tools-version: *(\d+)\.(\d+)", (ROOT / "Package.swift").read_text())
    assert image and tools
    assert tuple(map(int, image.groups())) >= tuple(map(int, tools.groups()))
