"""deploy/try ended at any moment of its start leaves no process, namespace, interface or folder."""
import os
import pathlib
import signal
import subprocess

import pytest

from processes import children, command_name, run, wait_for

pytestmark = pytest.mark.gate(60)
TRY = pathlib.Path(__file__).resolve().parents[3] / "deploy" / "try"


def below(pid: int) -> set[str]:
    return {command_name(child) for child in children(pid)}


MOMENTS = {"namespace": lambda pid, _folder: f"stox-phone-{pid}" in run("ip", "netns"),
           "server": lambda _pid, folder: any(folder.glob("stox-try-*/server/output.log")),
           "phone": lambda pid, _folder: "baresip" in below(pid),
           "ending": None}


def left(pid: int, folder: pathlib.Path) -> list[str]:
    found = [str(path) for path in folder.iterdir()] + [line for line in run("ip", "netns").splitlines() if line.split()[0] == f"stox-phone-{pid}"]
    found += [line for line in run("ip", "-br", "link").splitlines() if line.split()[0].partition("@")[0] == f"stox{pid % 1_000_000}"]
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes():
                found.append(f"process {entry.name} {command_name(int(entry.name))}")
        except OSError:
            continue  # it ended
    return found


@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_stays(workspace, moment):
    folder = workspace / f"interrupted-{moment}"
    folder.mkdir()
    command = [TRY, "--server", os.environ["STOX_SERVER"], "--build", os.environ["STOX_BUILD"], *(["--once"] if moment == "ending" else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "TMPDIR": str(folder)}) as trial:
        if moment == "ending":  # it ends by itself after the second message, and does not hear us any more
            while "baresip → stox" not in trial.stdout.readline():
                assert trial.poll() is None
        else:
            wait_for(f"the {moment}", lambda: MOMENTS[moment](trial.pid, folder), alive=lambda: trial.poll() is None)
        trial.send_signal(signal.SIGTERM)
        output, _ = trial.communicate(timeout=50)
    wait_for("the end of all of it", lambda: not left(trial.pid, folder))
    assert trial.returncode in ((0, 130) if moment == "ending" else (0,)), output
