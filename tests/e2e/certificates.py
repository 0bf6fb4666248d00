"""An authority of the scenarios' own: a root, an intermediate, leaves with the names asked for."""
import pathlib
import subprocess

DAYS = 30


def openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Authority:
    """Everybody trusts `root`; what issues leaves is an intermediate that nobody has, so chains must be sent."""

    def __init__(self, folder: pathlib.Path):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.folder, self.root = folder, folder / "root.pem"
        authority = "basicConstraints=critical,CA:TRUE"
        self._key("root")
        openssl("req", "-x509", "-new", "-key", folder / "root.key", "-subj", "/CN=Lane root", "-days", DAYS, "-addext", authority, "-out", self.root)
        self._issue("intermediate", "root", "/CN=Lane intermediate", authority, DAYS)

    def leaf(self, file: str, *names: str, days: int = DAYS) -> tuple[pathlib.Path, pathlib.Path]:
        """Chain file (leaf and intermediate) and key file for those names: "DNS:gateway.test", "IP:10.77.0.2", "URI:sip:gateway.test"."""
        self._key(file)
        self._issue(file, "intermediate", "/CN=leaf", "subjectAltName=" + ",".join(names), days)
        chain = self.folder / f"{file}.chain.pem"
        chain.write_text((self.folder / f"{file}.pem").read_text() + (self.folder / "intermediate.pem").read_text())
        return chain, self.folder / f"{file}.key"

    def _key(self, file: str) -> None:
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.folder / f"{file}.key")
        (self.folder / f"{file}.key").chmod(0o644)  # the server's unprivileged user reads it; nothing outside the lane does

    def _issue(self, file: str, issuer: str, subject: str, extension: str, days: int) -> None:
        here = self.folder
        if not (here / f"{file}.key").exists():
            self._key(file)
        (here / f"{file}.ext").write_text(extension + "\n")
        openssl("req", "-new", "-key", here / f"{file}.key", "-subj", subject, "-out", here / f"{file}.csr")
        openssl("x509", "-req", "-in", here / f"{file}.csr", "-CA", here / f"{issuer}.pem", "-CAkey", here / f"{issuer}.key", "-CAcreateserial",
                "-days", days, "-extfile", here / f"{file}.ext", "-out", here / f"{file}.pem")
