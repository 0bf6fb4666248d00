"""The softphone under attack: in the gate one for all tests, which has let go of everything at the end; in whole runs one for each."""
import contextlib
import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import pytest  # noqa: E402

from victim import Victim  # noqa: E402

BUILD = pathlib.Path(os.environ["STOX_BUILD"])
PROGRAM, WORKER = BUILD / "tests" / "stox_sip_ua", BUILD / "dist" / "stoxd"
WHOLE = bool(os.environ["STOX_WHOLE"])
SEED = int(os.environ["STOX_SEED"])


class Scale(NamedTuple):
    whole: bool

    def of(self, gate, whole):
        return whole if self.whole else gate


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("seeds")
        count = marker.kwargs["whole"] if marker and WHOLE else 1
        metafunc.parametrize("seed", range(SEED, SEED + count))


@pytest.fixture(scope="session")
def scale():
    return Scale(WHOLE)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3", "-subj", "/CN=localhost",
                    "-keyout", folder / "key.pem", "-out", folder / "chain.pem"], check=True, stderr=subprocess.DEVNULL)
    return folder


@contextlib.contextmanager
def watched(certificates, **settings):
    with Victim(PROGRAM, seed=SEED, tls=certificates, **settings) as victim:
        heap = victim.counters()["heap"]
        yield victim
        victim.let_go(heap)


@pytest.fixture(scope="session")
def shared(certificates):
    with watched(certificates) as victim:
        yield victim


@pytest.fixture(scope="session")
def shared_untold(certificates):
    with watched(certificates, told_nothing=True) as victim:
        yield victim


def lend(request, certificates, shared: str, **settings):
    if not WHOLE:
        victim = request.getfixturevalue(shared)
        yield victim
        victim.check_alive(within=2)
        return
    with watched(certificates, **settings) as victim:
        yield victim


@pytest.fixture
def victim(request, certificates):
    yield from lend(request, certificates, "shared")


@pytest.fixture
def untold(request, certificates):
    """One that nobody asks to call anywhere: where it sends of its own accord, a message made it."""
    yield from lend(request, certificates, "shared_untold", told_nothing=True)


@pytest.fixture
def make_victim(certificates):
    """For tests that need one with other limits."""
    return lambda **settings: Victim(PROGRAM, seed=SEED, tls=certificates, **settings)
