"""A private Prosody with the gateway in it."""
import json
import re
import signal

from processes import Program
from server import Server, Setup

CONFIGURATION = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}/data"
plugin_paths = {{ "{folder}/dist" }}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "version", "carbons", "offline", "adhoc", "admin_shell"{archive}{metrics} }}
admins = {admins}
modules_disabled = {{ "s2s", "tls" }}
authentication = "internal_plain"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
c2s_interfaces = {{ "{address}" }}
c2s_ports = {{ {port} }}
component_ports = {{}}
log = {{ {{ levels = {{ min = "debug" }}, to = "file", filename = "{log}", timestamps = true }} }}
stox = {engine}
stox_isolation = "{isolation}"
{control}{statistics}
VirtualHost "{domain}"
"""

INTERNAL = """
statistics = "internal"
statistics_interval = "manual"
"""

STATSD = """
statistics = "statsd"
statistics_config = {{ statsd_server = "127.0.0.1"; statsd_port = {port} }}
"""

PAGE = """
http_interfaces = {{ "127.0.0.1" }}
http_ports = {{ {port} }}
https_ports = {{}}
"""


def statistics(setup: Setup) -> str:
    """Kept for the page of metrics, or sent away."""
    page = PAGE.format(port=setup.metrics_port) if setup.metrics_port else ""
    if setup.statsd_port:
        return STATSD.format(port=setup.statsd_port) + page
    return INTERNAL + page if page else ""


def lua(value) -> str:
    """A Python value as a Lua constructor."""
    if isinstance(value, dict):
        return "{ " + "; ".join(f"[{lua(key)}] = {lua(entry)}" for key, entry in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(lua(entry) for entry in value) + " }"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)


class Prosody(Server):
    name = "Prosody"

    def configure(self) -> None:
        setup = self.setup
        text = CONFIGURATION.format(folder=self.folder, log=self.log, address=setup.address, port=setup.port, engine=lua(setup.engine),
                                    isolation=setup.isolation, control=f"stox_control = {lua(setup.control)}\n" if setup.control else "",
                                    admins=lua(setup.admins), domain=setup.domain, archive=', "mam"' if setup.archive else "",
                                    metrics=', "http_openmetrics"' if setup.metrics_port else "", statistics=statistics(setup))
        for component, options in setup.components.items():
            text += f'\nComponent "{component}" "stox"\n'
            if setup.domain_admins:
                text += f"    admins = {lua(setup.domain_admins)}\n"
            text += "".join(f"    {word if word == 'name' else 'stox_' + word} = {lua(value)}\n" for word, value in options.items())
        (self.folder / "prosody.cfg.lua").write_text(text)
        self.own()

    def start(self) -> None:
        accounts = self.folder / "data" / re.sub(r"[^A-Za-z0-9]", lambda match: f"%{ord(match[0]):02x}", self.setup.domain) / "accounts"
        accounts.mkdir(parents=True, exist_ok=True)
        for user, password in self.setup.accounts.items():
            (accounts / f"{user}.dat").write_text(f"return {lua({'password': password})};\n")
        self.configure()
        since = self.log_size()
        self.program = Program(["prosody", "--config", self.folder / "prosody.cfg.lua", "-F"], self.folder / "output.log", unprivileged=True, groups=self.setup.groups,
                               cwd=self.folder, env=self.setup.environment)
        self.wait_log(r"Activated service 'c2s'", since)

    def prosodyctl(self, *words: str):
        return self.command(["prosodyctl", "--config", self.folder / "prosody.cfg.lua", *words])

    def ctl(self, command: str, *words: str):
        return self.prosodyctl("mod_stox", command, *words)

    def reload(self) -> None:
        since = self.log_size()
        self.program.signal(signal.SIGHUP)
        self.wait_log(r"Reloading configuration|Configuration reloaded|configuration reloaded", since)
