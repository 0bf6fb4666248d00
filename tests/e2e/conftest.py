"""The lane's server and people. One server and worker for all scenarios that do not ask for their own."""
import os
import pathlib
import shutil
import signal
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "deploy" / "lab")]

import pytest  # noqa: E402

from ejabberd import Ejabberd  # noqa: E402
from lane import GATEWAY, PEER  # noqa: E402
from processes import Failed  # noqa: E402
from prosody import Prosody  # noqa: E402
from server import Server, Setup  # noqa: E402
from xmpp_client import XmppClient  # noqa: E402

SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}
DOMAIN, COMPONENT, PASSWORD = "montague.test", "capulet.test", "secret"
# Not probed: the peers of most scenarios come and go, and count what they get.
PEERS = {"phones": {"match": {"source": [PEER]}, "next_hop": f"sip:{PEER}:5060", "probe": False}}


def make_server(folder: pathlib.Path, **changes) -> Server:
    """A server of the lane's kind, started, with the gateway attached."""
    folder.mkdir(parents=True, exist_ok=True)
    setup = Setup(folder=folder, build=pathlib.Path(os.environ["STOX_BUILD"]), domain=DOMAIN,
                  accounts={"romeo": PASSWORD, "mercutio": PASSWORD, "benvolio": PASSWORD}, components={COMPONENT: {"peers": PEERS}},
                  admins=[f"romeo@{DOMAIN}"], engine={"bind": [f"udp:{GATEWAY}:5060", f"tcp:{GATEWAY}:5060"], "log_level": "debug"})
    for name, value in changes.items():
        setattr(setup, name, value)
    # A sanitizer writes beside the server's log: what it finds at the very end would not get into that any more.
    setup.environment = {variable: ":".join(filter(None, [os.environ.get(variable), f"log_path={folder}/sanitizer"]))
                         for variable in ("ASAN_OPTIONS", "UBSAN_OPTIONS")}
    server = SERVERS[os.environ["STOX_SERVER"]](setup)
    server.start()
    server.wait_attached(COMPONENT)
    return server


@pytest.fixture(scope="session")
def workspace():
    """A folder that the unprivileged server can reach; it stays when something failed."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stox-e2e-"))
    folder.chmod(0o755)
    yield folder
    if not FAILED:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"\nlogs of what failed: {folder}")


@pytest.fixture(scope="session")
def server(workspace):
    running = make_server(workspace / "server")
    yield running
    stop_server(running)


def stop_server(server: Server) -> None:
    """Ends it; fails when a sanitizer found something in its worker."""
    server.stop()
    reports = [path.read_text(errors="replace") for path in server.folder.glob("sanitizer.*")]
    if reports:
        FAILED.append("sanitizer")
    assert not reports, "the worker broke a rule:\n" + "\n".join(reports)


def person(server: Server, name: str) -> XmppClient:
    return XmppClient(f"{name}@{DOMAIN}/home", PASSWORD, server.setup.address, server.setup.port)


@pytest.fixture(scope="session")
def romeo(server):
    client = person(server, "romeo")
    yield client
    client.stop()


@pytest.fixture(scope="session")
def mercutio(server):
    client = person(server, "mercutio")
    yield client
    client.stop()


# A budget for each scenario, and what is kept of a failure.

FAILED: list[str] = []


def pytest_collection_modifyitems(items):
    for item in items:
        if not (item.get_closest_marker("gate") or item.get_closest_marker("full")):
            raise pytest.UsageError(f"{item.nodeid} says neither gate nor full")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    marker = item.get_closest_marker("gate") or item.get_closest_marker("full")

    def over(_number, _frame):
        raise Failed(f"over its budget of {marker.args[0]} s")
    signal.signal(signal.SIGALRM, over)
    signal.alarm(marker.args[0])
    yield
    signal.alarm(0)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        FAILED.append(item.nodeid)
        running = item.funcargs.get("server") if hasattr(item, "funcargs") else None
        if isinstance(running, Server):
            report.sections.append(("end of the server's log", running.tail(40)))
