"""Which Debian packages are missing, and their installation by deploy/lab/install.sh."""
import subprocess

from runner import ROOT, root_prefix


def listed(*files: str) -> list[str]:
    lines = (line for file in files for line in (ROOT / "deploy" / file).read_text().splitlines())
    return [word for line in lines for word in line.split("#")[0].split()]


def missing(packages: list[str]) -> list[str]:
    query = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    installed = {line.split()[0] for line in query.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def install(*files: str) -> bool:
    """True: every package of the lists is there now."""
    wanted = missing(listed(*files))
    if not wanted:
        return True
    root = root_prefix()
    if root is None:
        print(f"missing packages, and neither root nor sudo to install them: {' '.join(wanted)}", flush=True)
        return False
    subprocess.run([*root, str(ROOT / "deploy" / "lab" / "install.sh"), *files], check=False)
    return not missing(wanted)
