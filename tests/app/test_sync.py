"""The app among other machines: real engines, a real relay, and what a person sees of them."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.widgets import Input

from aimem_tui import locks
from aimem_tui.screens import company
from aimem_tui.screens.connect import ConnectScreen
from aimem_tui.screens.jump import JumpScreen
from aimem_tui.screens.main import MainScreen
from aimem_tui.screens.pair import PairScreen
from aimem_tui.screens.prompt import Confirm
from aimem_tui.screens.sync import SyncScreen
from aimem_tui.sync import backoff, engine
from aimem_tui.sync.peer.pairing import Compare
from aimem_tui.sync.presence import PresenceState
from aimem_tui.sync.state import Person
from aimem_tui.sync.visitors import Visitor
from aimem_tui.widgets.header import Header
from aimem_tui.workspace import background, pairing
from crdt.positions import Position
from crdt.textdiff import Splice
from tests.app.test_app import Desk, desk
from tests.imports import NETWORK
from tests.peer.machines import Machine
from tests.sync.places import RelayProcess
from tests.sync.stations import Hub, Station, is_complete

pytestmark = pytest.mark.usefixtures("no_keyring")

PLAN = "# Plan\n\n" + "".join(f"Line {n} of the plan.\n" for n in range(60))


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncing begins right after the first frame."""
    monkeypatch.setattr(company, "BEGIN_S", 0.01)
    monkeypatch.setattr(pairing, "find", lambda workspace: [])


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[str], Station]]:
    made: list[Station] = []

    def make(name: str) -> Station:
        made.append(Station(tmp_path, name))
        return made[-1]

    yield make
    for station in made:
        station.close()


@pytest.fixture
def hub(make: Callable[[str], Station]) -> Iterator[Hub]:
    """A machine that answers, with a plan."""
    with Hub(make("hub")) as hub:
        hub.station.workspace.create("plan.md", PLAN)
        yield hub


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[RelayProcess]:
    with RelayProcess(tmp_path / "relay") as relay:
        yield relay


def connect(folder: Path, url: str, **options: str) -> None:
    """Make Ada's machine, and connect it."""
    station = Station(folder, "ada")
    if url:
        station.connect(url, **options)
    station.close()


@asynccontextmanager
async def ada(
    folder: Path, url: str, *, size: tuple[int, int] = (120, 36), **options: str
) -> AsyncIterator[Desk]:
    """The app on Ada's machine, connected; the plan is there and open."""
    connect(folder, url, **options)
    async with desk(folder / "ada", size=size, fill=False) as at:
        await at.until(lambda: at.workspace.count() == 1, "the plan has come")
        await at.open("plan")
        yield at


def said(at: Desk) -> str:
    return at.main.query_one(Header).place.state


def write(station: Station, text: str, at: int) -> None:
    thought = station.workspace.get("plan.md")
    station.workspace.edit_text(thought.id, lambda _: [Splice(at, at, text)])


def looking(station: Station, offset: int, *, name: str = "Ben", agent: bool = False) -> Person:
    """Somebody in the plan, as their program would tell it."""
    thought = station.workspace.get("plan.md").id
    live = station.workspace.open_live(thought)
    place = live.document.position_at(offset).to_json()
    live.close()
    return Person("bb" * 16, name, "", agent, thought, place, place)


def presence(person: Person) -> PresenceState:
    return PresenceState(
        person.name, person.color, person.agent, person.thought, person.anchor, person.head
    )


# The open editor


async def test_what_others_write_appears_in_the_open_text_and_ones_place_in_it_stays(
    tmp_path: Path, make: Callable[[str], Station], relay: RelayProcess
) -> None:
    ben = make("ben")
    ben.workspace.create("plan.md", PLAN)
    ben.connect(relay.url, token=relay.token)
    with ben.syncing():
        async with ada(tmp_path, relay.url, token=relay.token) as at:
            at.editor.move_cursor((40, 3))
            await at.pilot.pause()
            row = at.editor.cursor_location[0]
            on_screen = at.editor.caret_offset.y - at.editor.scroll_offset.y
            assert at.editor.scroll_offset.y > 0
            write(ben, "One more.\nAnd another.\n", PLAN.index("Line 0"))
            await at.until(lambda: "And another." in at.editor.text, "what Ben wrote")
            assert at.editor.cursor_location == (row + 2, 3)
            assert at.editor.caret_offset.y - at.editor.scroll_offset.y == on_screen
            await at.pilot.press("A", "d", "a")
            await at.until(lambda: "Durable on relay" in said(at), "it is durable")
        ben.wait(is_complete)
    assert "LinAdae 38 of" in ben.texts()["plan.md"]


async def test_what_was_typed_last_has_gone_out_when_the_app_ends(tmp_path: Path, hub: Hub) -> None:
    async with ada(tmp_path, hub.url) as at:
        await at.until(lambda: "Durable" in said(at) or "In step" in said(at), "it is in step")
        await at.pilot.press("l", "a", "s", "t")
    assert hub.station.texts()["plan.md"].startswith("last# Plan")


async def test_the_app_ends_in_order_while_nobody_can_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "FIRST_S", 1e6)
    monkeypatch.setattr(engine, "LINGER_S", 1e6)
    monkeypatch.setattr(background, "ENDING_S", 10)
    connect(tmp_path, "ws://127.0.0.1:9")
    async with desk(tmp_path / "ada", fill=False) as at:
        await at.until(lambda: "Offline" in said(at), "nobody is there")
        assert await asyncio.to_thread(at.app.sync.end)


async def test_a_refused_token_is_told_once_with_what_to_do(tmp_path: Path, hub: Hub) -> None:
    connect(tmp_path, hub.url, token="stale")
    async with desk(tmp_path / "ada", size=(120, 36), fill=False) as at:
        at.workspace.create("mine.md", "# Mine\n")
        await at.until(lambda: "relay does not accept the token." in at.screen_text(), "why")
        assert "Not in step with relay" in at.screen_text()
        await at.until(lambda: said(at) == "Refused by relay, 1 edit waiting", "the top line")
        hub.token = "stale"
        await at.pilot.press("f3")
        await at.on(SyncScreen)
        await at.until(lambda: "Refused" in at.screen_text(), "its line")
        await at.pilot.press("s")
        await at.until(lambda: "In step" in at.screen_text(), "it was let in")


# Who is here


async def test_who_looks_at_a_thought_is_shown_everywhere_and_is_gone_when_they_leave(
    tmp_path: Path, make: Callable[[str], Station], relay: RelayProcess
) -> None:
    ben = make("ben")
    ben.workspace.create("plan.md", PLAN)
    ben.connect(relay.url, token=relay.token)
    ben.sync()
    async with ada(tmp_path, relay.url, token=relay.token) as at:
        badge = f"{at.main.icons.person}B"
        with ben.syncing() as syncing:
            ben.wait(is_complete)
            syncing.set_presence(presence(looking(ben, 10)))
            await at.until(lambda: "Ben" in at.screen_text().splitlines()[0], "the top line")
            await at.until(lambda: badge in at.screen_text(), "his badge in the tree")
            await at.until(lambda: at.editor.has_carets, "his caret")
            (shown,) = at.editor._others
            assert (shown.caret.name, shown.caret.head) == ("Ben", 10)
        await at.until(lambda: "Ben" not in at.screen_text(), "he has left")
        assert badge not in at.screen_text()
        assert not at.editor.has_carets


async def test_anothers_caret_goes_along_with_what_they_type(
    tmp_path: Path, make: Callable[[str], Station], relay: RelayProcess
) -> None:
    ben = make("ben")
    ben.workspace.create("plan.md", PLAN)
    ben.connect(relay.url, token=relay.token)
    ben.sync()
    async with ada(tmp_path, relay.url, token=relay.token) as at:
        with ben.syncing() as syncing:
            ben.wait(is_complete)
            # The character behind his caret stays the same, so he tells nothing new.
            syncing.set_presence(presence(looking(ben, 2)))
            await at.until(lambda: at.editor.has_carets, "his caret")
            write(ben, "Der große ", 2)
            await at.until(lambda: "Der große" in at.editor.text, "what he types")
            await at.until(
                lambda: [one.caret.head for one in at.editor._others] == [2 + 11],
                "his caret behind it",
            )


async def test_a_caret_in_a_text_that_has_not_come_yet_is_shown_once_it_has(
    tmp_path: Path, make: Callable[[str], Station], hub: Hub
) -> None:
    ben = make("ben")
    ben.connect(hub.url)
    async with ada(tmp_path, hub.url) as at:
        with ben.syncing():
            ben.wait(is_complete)
        write(ben, "new ", 2)
        person = looking(ben, 4)
        at.main.page.show_people([person])
        assert not at.editor.has_carets
        with ben.syncing():
            await at.until(lambda: "new " in at.editor.text, "the text")
            assert [one.caret.head for one in at.editor._others] == [4]


async def test_others_hear_where_one_is_and_that_one_has_left(
    tmp_path: Path, make: Callable[[str], Station], relay: RelayProcess
) -> None:
    ben = make("ben")
    ben.workspace.create("plan.md", PLAN)
    ben.connect(relay.url, token=relay.token)
    ben.sync()

    def where() -> list[tuple[str, int | None]]:
        thought = ben.workspace.get("plan.md").id
        live = ben.workspace.open_live(thought)
        heard = [person for person in ben.states[-1].people if person.thought == thought]
        read = [(one.name, Position.from_json(one.head)) for one in heard]
        places = [(name, live.document.offset_of(at) if at else None) for name, at in read]
        live.close()
        return places

    with ben.syncing():
        ben.wait(is_complete)
        async with ada(tmp_path, relay.url, token=relay.token) as at:
            at.editor.move_cursor((2, 4))
            await at.until(lambda: where() == [("Ada", 12)], "where Ada is")
            at.workspace.trash(at.workspace.get("plan").id)
            await at.until(lambda: at.main.page.thought is None, "it is closed")
            await at.until(
                lambda: [person.thought for person in ben.states[-1].people] == [""],
                "Ada looks at nothing",
            )
        ben.wait(lambda state: not state.people)


async def test_one_can_jump_to_where_somebody_is(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        billing = at.workspace.get("billing").id
        at.main._company._meet((Person("bb" * 16, "Ben", "", thought=billing),))
        await at.pilot.press("ctrl+j")
        await at.on(JumpScreen)
        await at.until(lambda: "f  Ben, in Billing" in at.screen_text(), "his letter")
        await at.pilot.press("f")
        await at.until(
            lambda: at.main.page.thought is not None and at.main.page.thought.id == billing,
            "his thought",
        )


async def test_an_agent_carries_its_mark_and_those_who_do_not_fit_are_counted(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, size=(80, 24)) as at:
        await at.open("notes")
        bot = Person("bb" * 16, "Claude", "", agent=True)
        crowd = [Person(f"{n:032x}", f"Person {n}", "") for n in range(30)]
        at.main._company._meet((bot, crowd[0]))
        at.main.standing_changed()
        await at.until(lambda: "Claude* Person 0" in at.screen_text(), "both by name")
        at.main._company._meet((bot, *crowd))
        at.main.standing_changed()
        await at.until(lambda: "C* P0 P1" in at.screen_text(), "initials")
        first = at.screen_text().splitlines()[0]
        assert first.rstrip().endswith("+26")
        assert "notes" in first
        assert len(first) == 80


async def test_an_agent_of_this_machine_is_seen_also_where_nothing_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(company, "VISITORS_S", 0.02)
    async with desk(tmp_path) as at:
        await at.open("notes")
        notes = at.workspace.get("notes").id
        agent = Visitor(tmp_path, "Ada via Codex")
        agent.at(notes, *at.workspace.place_in(notes, 2, 7))
        await at.until(lambda: "Ada via Codex*" in at.screen_text(), "it is here")
        await at.until(lambda: at.editor.has_carets, "its caret")
        assert [one.caret.head for one in at.editor._others] == [7]
        agent.close()
        await at.until(lambda: "Codex" not in at.screen_text(), "it has gone")
        assert not at.editor.has_carets


# The rooms


async def test_the_sync_room_teaches_where_there_is_nothing_to_sync_with(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        await at.pilot.press("f3")
        await at.on(SyncScreen)
        await at.until(lambda: "connect to a relay" in at.screen_text(), "how to connect")
        assert "aimem relay" in at.screen_text()
        await at.pilot.press("escape")
        await at.on(MainScreen)


async def test_connecting_tells_what_is_wrong_and_keeps_nothing_until_it_works(
    tmp_path: Path, hub: Hub
) -> None:
    connect(tmp_path, "")
    async with desk(tmp_path / "ada", size=(80, 24), fill=False) as at:
        at.app.ui_state.welcomed = True
        at.main.action_sync()
        await at.on(SyncScreen)
        await at.pilot.press("c")
        await at.on(ConnectScreen)
        address = at.app.screen.query_one("#address", Input)
        token = at.app.screen.query_one("#token", Input)
        address.value = "https://relay.example.org"
        await at.pilot.press("enter")
        await at.until(lambda: "wss:// is needed" in at.screen_text(), "what is wrong with it")
        assert address.has_focus
        other = "cc" * 16
        address.value = f"{hub.url}/sync/{other}"
        await at.pilot.press("enter")
        token.value = "secret-token"
        await at.pilot.press("enter")
        await at.until(lambda: "another workspace" in at.screen_text(), "another workspace")
        address.value = hub.url
        await at.pilot.press("enter")
        await at.until(lambda: "does not accept this token" in at.screen_text(), "the token")
        assert "secret-token" not in at.screen_text()
        assert not at.app.sync.remotes()
        token.value = hub.token
        await at.pilot.press("enter")
        await at.on(SyncScreen)
        await at.until(lambda: at.workspace.count() == 1, "the plan has come")
        await at.until(lambda: "In step" in at.screen_text(), "its line")
        await at.pilot.press("d")
        await at.on(Confirm)
        await at.pilot.press("y")
        await at.until(lambda: "connect to a relay" in at.screen_text(), "nothing is connected")
        assert not at.app.sync.remotes()
        await at.pilot.press("escape")
        await at.until(lambda: said(at) in ("", "Saved here"), "the top line")


async def test_two_machines_pair_after_their_people_have_compared_a_code(tmp_path: Path) -> None:
    connect(tmp_path, "")
    shown: list[str] = []

    async def agree(compare: Compare) -> bool:
        shown.append(f"{compare.code[:3]} {compare.code[3:]}")
        return True

    ben = Machine(tmp_path, "ben")
    ben.write("plan.md", PLAN)
    async with (
        ben.listening(agree=agree) as listener,
        desk(tmp_path / "ada", size=(80, 24), fill=False) as at,
    ):
        at.main.action_sync()
        await at.on(SyncScreen)
        for answer in ("n", "y"):
            await at.pilot.press("p")
            await at.on(PairScreen)
            at.app.screen.query_one(Input).value = "nowhere at all"
            await at.pilot.press("enter")
            await at.until(lambda: "is not an address" in at.screen_text(), "a wrong address")
            at.app.screen.query_one(Input).value = f"127.0.0.1:{listener.port}"
            await at.pilot.press("enter")
            await at.until(lambda: shown and shown[-1] in at.screen_text(), "the same code")
            await at.pilot.press(answer)
            if answer == "n":
                await at.until(lambda: "not paired" in at.screen_text(), "it came to nothing")
                assert not at.app.sync.remotes()
                await at.pilot.press("escape")
                await at.on(SyncScreen)
        await at.on(SyncScreen)
        await at.until(lambda: at.workspace.count() == 1, "the plan has come")
        await at.until(lambda: "In step" in at.screen_text(), "its line")
    ben.close()


async def test_a_click_on_the_top_right_opens_the_sync_room(tmp_path: Path, hub: Hub) -> None:
    async with ada(tmp_path, hub.url) as at:
        await at.until(lambda: "In step" in said(at), "the words")
        await at.pilot.click(Header, offset=(110, 0))
        await at.on(SyncScreen)


async def test_a_workspace_that_has_another_copy_offers_no_sample(tmp_path: Path, hub: Hub) -> None:
    connect(tmp_path, hub.url)
    async with desk(tmp_path / "ada", fill=False) as at:
        await at.until(lambda: "plan" in at.screen_text(), "the plan")
        assert isinstance(at.app.screen, MainScreen)


# Words


async def test_what_another_program_syncs_is_shown_as_that(tmp_path: Path, hub: Hub) -> None:
    connect(tmp_path, hub.url)
    lock = locks.to_sync(tmp_path / "ada")
    assert lock.take()
    async with desk(tmp_path / "ada", fill=False) as at:
        at.workspace.create("mine.md", "# Mine\n")
        await at.until(lambda: "Saved here, 1 edit waiting" in said(at), "what waits")
        await at.pilot.press("f3")
        await at.on(SyncScreen)
        await at.until(lambda: "Kept in step by another aimem" in at.screen_text(), "by whom")
        lock.release()
        await at.until(lambda: "Has all that was written here" in at.screen_text(), "taken over")


async def test_a_defect_that_ends_syncing_is_told_and_the_app_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(engine.SyncEngine, "_work", fail)
    monkeypatch.setattr(company, "LOOK_S", 0.05)
    connect(tmp_path, "ws://127.0.0.1:9")
    async with desk(tmp_path / "ada", fill=False) as at:
        thought = at.workspace.create("mine.md", "# Mine\n")
        at.main.open_thought(thought.id)
        await at.until(lambda: said(at) == "Saved here, syncing has ended", "the top line")
        await at.pilot.press("x")
        assert at.editor.text == "x# Mine\n"


async def test_a_copied_workspace_that_has_other_copies_says_that_it_took_a_new_name(
    tmp_path: Path,
) -> None:
    connect(tmp_path, "ws://127.0.0.1:9")
    shutil.copytree(tmp_path / "ada", tmp_path / "copy")
    async with desk(tmp_path / "copy") as at:
        await at.until(lambda: "This workspace was copied" in at.screen_text(), "the message")


def test_without_remotes_the_app_never_loads_the_network(tmp_path: Path) -> None:
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from aimem_tui.app import AimemApp\n"
        "from aimem_tui.screens import company\n"
        "from aimem_tui.settings import Settings\n"
        "from aimem_tui.workspace.workspace import Workspace\n"
        "company.BEGIN_S = company.LOOK_S = 0.01\n"
        "folder = Path(sys.argv[1])\n"
        "with Workspace(folder / 'workspace.db', name='acme', author='Ada') as workspace:\n"
        "    settings = Settings(folder / 'config.toml', {})\n"
        "    app = AimemApp(workspace, settings, folder / 'state.json')\n"
        "    app.ui_state.welcomed = True\n"
        "    looked = []\n"
        "    look = app.sync.is_due\n"
        "    def is_due():\n"
        "        looked.append(look())\n"
        "        if len(looked) > 5:\n"
        "            app.exit(sorted(sys.modules))\n"
        "        return looked[-1]\n"
        "    app.sync.is_due = is_due\n"
        "    print(json.dumps(app.run(headless=True)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    loaded = {name.partition(".")[0] for name in json.loads(run.stdout)}
    assert "textual" in loaded
    assert loaded & NETWORK == set()
