# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""The chat page in a real browser, with the official JavaScript client."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from harness.browser import Browser, Tab
from harness.process import Server
from harness.proxy import Proxy
from harness.replica_set import ReplicaSet

DESKTOP = {"width": 1180, "height": 740, "scale": 1.5}
PHONE = {"width": 390, "height": 844, "scale": 2, "mobile": True}
two_nodes = pytest.mark.parametrize("nodes", ["two nodes"], indirect=True)
Enter = Callable[..., Awaitable[Tab]]


@pytest_asyncio.fixture
async def enter(browser: Browser, nodes: tuple[Server, Server]) -> AsyncIterator[Enter]:
    """Opens the chat in a tab for a person. At the end no page may have complained, and all are closed."""
    tabs: list[Tab] = []

    async def enter(nick: str, unlimited: bool = False, url: str = nodes[0].url, **look) -> Tab:
        tab = await browser.tab(url + "/", **(look or DESKTOP))
        tabs.append(tab)
        await tab.until("document.querySelector('#sign-in').open")
        if unlimited:
            await tab.run("document.querySelector('#nick').removeAttribute('maxlength')")
        await tab.write("#nick", nick)
        await tab.press_enter()
        if not unlimited:
            await tab.until("document.querySelectorAll('#people-list .entry').length > 0")
            await tab.until("document.querySelector('#detail-transport').textContent === 'WebSocket'")
        return tab

    yield enter
    problems = [problem for tab in tabs for problem in tab.problems]
    for tab in tabs:
        await tab.command("Page.navigate", url="about:blank")
    assert problems == []


async def say(tab: Tab, *texts: str) -> None:
    for text in texts:
        await tab.write("#text", text)
        await tab.press_enter()


async def sees(tab: Tab, text: str, limit: float = 20) -> None:
    await tab.until(f"[...document.querySelectorAll('.bubble')].some((each) => each.firstChild.data === {json.dumps(text)})", limit)


async def bubbles(tab: Tab) -> list[str]:
    return await tab.run("[...document.querySelectorAll('.bubble')].map((each) => each.firstChild.data)")


async def state_of(tab: Tab, text: str) -> str:
    return await tab.run(
        f"[...document.querySelectorAll('.message.mine')].find((each) => each.querySelector('.bubble').firstChild.data === {json.dumps(text)}).dataset.state"
    )


async def open_room(tab: Tab, name: str) -> None:
    await tab.write("#new-room-name", name)
    await tab.press_enter()
    await tab.until(f"document.querySelector('#title').textContent === '# {name}'")
    await tab.until("document.querySelectorAll('#people-list .entry').length > 0")


async def test_two_tabs_talk(enter: Enter, nodes: tuple[Server, Server]) -> None:
    ada = await enter("Ada")
    grace = await enter("Grace", url=nodes[1].url)
    for tab in (ada, grace):
        await open_room(tab, "talk")
    await ada.until("document.querySelectorAll('#people-list .entry').length === 2")
    await grace.until("document.querySelectorAll('#people-list .entry').length === 2")

    await say(ada, "Hello Grace", "Is anybody here?")
    await sees(grace, "Is anybody here?")
    await say(grace, "Of course <b>I am</b> 👋")
    await sees(ada, "Of course <b>I am</b> 👋")
    assert await bubbles(ada) == await bubbles(grace) == ["Hello Grace", "Is anybody here?", "Of course <b>I am</b> 👋"]

    await ada.until("document.querySelectorAll('.message.mine[data-state=delivered]').length === 2")
    assert await ada.run("document.querySelector('.message.mine .ticks').title") == "Delivered to Grace"

    await grace.write("#text", "I am writing")
    await ada.until("document.querySelector('#typing').textContent === 'Grace is typing…'")


async def test_private_messages_reach_one_person(enter: Enter, nodes: tuple[Server, Server]) -> None:
    tabs = [await enter("Alan"), await enter("Barbara", url=nodes[1].url), await enter("Edsger")]
    alan, barbara, edsger = tabs
    for tab in tabs:
        await open_room(tab, "three")
    await alan.until("document.querySelectorAll('#people-list .entry').length === 3")
    await alan.click("#people-list button[title='Talk to Barbara in private']")
    await alan.until("document.querySelector('#title').textContent === 'Barbara'")
    await say(alan, "Only for you")

    await barbara.until("document.querySelector('#private-list .badge')?.textContent === '1'")
    await barbara.click("#private-list .entry")
    await sees(barbara, "Only for you")
    await say(barbara, "Thank you")
    await sees(alan, "Thank you")
    await alan.until("document.querySelector('.message.mine[data-state=delivered]')")
    assert await bubbles(edsger) == []
    assert await edsger.run("document.querySelectorAll('#private-list .entry').length") == 0


@pytest.mark.parametrize("noticed", [True, False], ids=["connection reset", "silence"])
async def test_a_tab_that_is_cut_off_recovers_everything(enter: Enter, nodes: tuple[Server, Server], noticed: bool) -> None:
    """The server may see the connection break, or still believe in it when the client is back; it may come back to another one."""
    room = "tunnel" if noticed else "lift"
    async with Proxy(nodes[1].port) as cable:
        ada = await enter("Ada")
        grace = await enter("Grace", url=cable.url)
        for tab in (ada, grace):
            await open_room(tab, room)
        await say(ada, "before")
        await sees(grace, "before")
        identity = await grace.run("document.querySelector('#detail-id').textContent")

        if noticed:
            cable.cut()
            await ada.until("document.querySelectorAll('#people-list .entry').length === 1")
        else:
            await grace.offline(True)
        await grace.until("document.querySelector('#status').dataset.state !== 'connected'")
        missed = [f"while you were away {number}" for number in range(1, 6)]
        await say(ada, *missed)
        await ada.until("document.querySelectorAll('.message.mine[data-state=pending]').length === 0")
        written = ["written offline 1", "written offline 2"]
        await say(grace, *written)
        assert [await state_of(grace, text) for text in written] == ["pending", "pending"]
        assert await grace.run("document.querySelector('#detail-waiting').textContent") == "2"

        if noticed:
            cable.mend(nodes[0].port)
        else:
            await grace.offline(False)
        await grace.until("document.querySelector('#status').dataset.state === 'recovered'")
        await sees(ada, written[-1])
        await grace.until("document.querySelectorAll('.message.mine[data-state=pending]').length === 0")
        assert await grace.run("document.querySelector('#detail-recovered').textContent") == "recovered"
        assert await grace.run("document.querySelector('#detail-id').textContent") == identity
        assert await grace.run("document.querySelector('.note.recovered').textContent") == "Connection recovered · 5 messages caught up"
        assert await bubbles(ada) == ["before", *missed, *written]
        # Grace saw her own first; nothing is missing, nothing twice.
        assert await bubbles(grace) == ["before", *written, *missed]
        await ada.until("document.querySelectorAll('#people-list .entry').length === 2")
        await say(ada, "after")
        await sees(grace, "after")
        await grace.screenshot("chat-recovered")


@two_nodes
async def test_a_tab_shows_its_node_and_what_was_said_on_the_other(enter: Enter, nodes: tuple[Server, Server]) -> None:
    ada = await enter("Ada")
    await open_room(ada, "archive")
    await say(ada, "written before you came")
    await ada.until("document.querySelector('.message.mine[data-state=sent]')")
    grace = await enter("Grace", url=nodes[1].url)
    await open_room(grace, "archive")
    await sees(grace, "written before you came")
    assert [await tab.run("document.querySelector('#my-node').textContent") for tab in (ada, grace)] == ["node-1", "node-2"]
    await ada.until("document.querySelector('#people-list .node')?.textContent === 'node-2'")


@two_nodes
async def test_what_is_said_while_the_primary_dies_is_not_lost(enter: Enter, replica_set: ReplicaSet, nodes: tuple[Server, Server]) -> None:
    ada = await enter("Ada")
    grace = await enter("Grace", url=nodes[1].url)
    for tab in (ada, grace):
        await open_room(tab, "election")
    await ada.until("document.querySelectorAll('#people-list .entry').length === 2")
    texts = [f"number {number}" for number in range(6)]
    killing = asyncio.create_task(replica_set.command("kill-primary"))
    for text in texts:
        await say(ada, text)
        await asyncio.sleep(0.3)  # a person types
    await killing
    await sees(grace, texts[-1], limit=40)
    assert await bubbles(grace) == await bubbles(ada) == texts
    await replica_set.command("restart")


@pytest.mark.parametrize("nodes", ["one node"], indirect=True)
async def test_a_refused_nickname_is_asked_for_again(enter: Enter) -> None:
    tab = await enter("x" * 24 + "y", unlimited=True)
    await tab.until("document.querySelector('#sign-in-error').textContent !== ''")
    await tab.until("document.querySelector('#sign-in').open")
    await tab.run("document.querySelector('#nick').value = ''")
    await tab.write("#nick", "Short")
    await tab.press_enter()
    await tab.until("document.querySelector('#my-nick').textContent === 'Short'")


@pytest.mark.parametrize(
    ("name", "room", "look"),
    [("chat-light", "server-side", DESKTOP), ("chat-dark", "evening", DESKTOP | {"dark": True}), ("chat-dark-phone", "on-the-road", PHONE | {"dark": True})],
)
async def test_pictures(enter: Enter, nodes: tuple[Server, Server], name: str, room: str, look: dict) -> None:
    """Pictures to look at, and that the layout fits the screen."""
    async with Proxy(nodes[1].port) as cable:
        ada, katherine = await enter("Ada"), await enter("Katherine")
        grace = await enter("Grace", url=cable.url, **look)
        await open_room(ada, room)
        await open_room(katherine, room)
        if look.get("mobile"):
            await grace.click("#show-rooms")
        await open_room(grace, room)
        if look.get("mobile"):
            await grace.until("document.querySelector('#rooms').getAnimations().length === 0")
        await ada.until("document.querySelectorAll('#people-list .entry').length === 3")

        await say(ada, "Good morning! Is the new server up?")
        await sees(grace, "Good morning! Is the new server up?")
        await say(grace, "It is. Swift on the server, any Socket.IO client in front.")
        await grace.until("document.querySelectorAll('.message.mine[data-state=delivered]').length === 1")
        await say(grace, "My train goes into a tunnel in a minute…")
        await sees(katherine, "My train goes into a tunnel in a minute…")
        cable.cut()
        await ada.until("document.querySelectorAll('#people-list .entry').length === 2")
        await say(katherine, "Never mind: what you miss comes when you are back.")
        await sees(ada, "Never mind: what you miss comes when you are back.")
        cable.mend()
        await sees(grace, "Never mind: what you miss comes when you are back.")
        await grace.until("document.querySelector('#status').dataset.state === 'recovered'")
        await say(grace, "Back again. Nothing lost 🙂")
        await grace.until("document.querySelectorAll('.message.mine[data-state=delivered]').length === 3")

        await ada.until("document.querySelectorAll('#people-list .entry').length === 3")
        await ada.click("#people-list button[title='Talk to Grace in private']")
        await say(ada, "Lunch at one?")
        await grace.until("document.querySelector('#private-list .badge')")
        await katherine.write("#text", "Here")
        await grace.until("document.querySelector('#typing').textContent !== ''")
        assert await grace.run("document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight")
        await grace.screenshot(name)
