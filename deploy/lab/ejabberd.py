"""A private ejabberd with the gateway in it."""
import json
import pathlib
import platform
import re
import shutil
import urllib.request

from processes import Failed, Program, wait_for
from server import Server


class Ejabberd(Server):
    name = "ejabberd"

    def configure(self) -> None:
        setup = self.setup
        modules = {module: {} for module in ("mod_disco", "mod_ping", "mod_version", "mod_offline", "mod_roster", "mod_carboncopy", "mod_http_api", "mod_adhoc")}
        if setup.archive:
            modules["mod_mam"] = {"default": "always"}
        # JSON is YAML too. A host has one instance of a module: further gateways belong to further hosts.
        configuration = {
            "hosts": [setup.domain, *self.further_hosts()],
            "loglevel": "info", "hide_sensitive_log_data": False, "acme": {"auto": False}, "auth_method": ["internal"],
            "s2s_access": "none",  # no federation: a missing gateway is told at once, without looking for it on the network
            "listen": [
                {"port": setup.port, "ip": setup.address, "module": "ejabberd_c2s", "starttls": False},
                {"port": self.setup.api_port, "ip": "127.0.0.1", "module": "ejabberd_http", "request_handlers": {"/api": "mod_http_api"}},
            ],
            "api_permissions": {"lab": {"who": {"access": {"allow": {"acl": "lab"}}}, "what": ["register", "reload_config", "[tag:stox]"]}},
            "acl": {"lab": {"ip": "127.0.0.0/8"}, "admins": {"user": self.setup.admins}},
            "access_rules": {"configure": {"allow": "admins"}},
            "modules": modules,
            "append_host_config": {host: {"modules": {"mod_stox": {"host": component, **options}}, **self.host_acl()}
                                   for (component, options), host in zip(setup.components.items(), [setup.domain, *self.further_hosts()])},
        }
        (self.folder / "ejabberd.yml").write_text(json.dumps(configuration, indent=1))
        (self.folder / "stox.yml").write_text(json.dumps({**setup.engine, "isolation": setup.isolation, **({"control": setup.control} if setup.control else {})}))
        self.own()

    def host_acl(self) -> dict:
        return {"acl": {"admins": {"user": self.setup.domain_admins}}} if self.setup.domain_admins else {}

    def further_hosts(self) -> list[str]:
        return [f"host{number}.test" for number in range(1, len(self.setup.components))]

    def start(self) -> None:
        (self.folder / "log").mkdir(exist_ok=True)
        self.log = self.folder / "log" / "ejabberd.log"
        first, since = not (self.folder / "db").exists(), self.log_size()
        self.configure()
        libraries = f"{self.folder / 'dist' / 'ejabberd'}:/usr/lib/{platform.machine()}-linux-gnu"
        self.program = Program(
            ["erl", *self.distribution(), "-noinput", "-mnesia", "dir", f'"{self.folder / "db"}"', "-s", "ejabberd"], self.folder / "output.log", unprivileged=True, groups=self.setup.groups,
            cwd=self.folder, env={**self.setup.environment, "HOME": str(self.folder), "ERL_LIBS": libraries, "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml"),
                                  "EJABBERD_LOG_PATH": str(self.log), "ERL_CRASH_DUMP": str(self.folder / "erl_crash.dump"),
                                  "ERL_CRASH_DUMP_BYTES": "0"})
        self.wait_log(r"Start accepting TCP connections at \S+:%d " % self.setup.port, since)
        for user, password in self.setup.accounts.items() if first else ():
            self.api("register", user=user, host=self.setup.domain, password=password)

    def distribution(self) -> list[str]:
        """For a cluster, nodes that find each other by Erlang's name server; else what ejabberdctl needs to reach it without one."""
        if self.setup.node:
            return ["-sname", f"{self.setup.node}@localhost", "-setcookie", "lab", "-start_epmd", "false", "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]
        if not self.setup.ctl:
            return []
        return ["-sname", "ejabberd@localhost", "-erl_epmd_port", str(self.setup.api_port + 1), "-start_epmd", "false",
                "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]

    def ctl(self, command: str, *words: str):
        """Debian's own script; it insists on another user, which a private server does not have."""
        script = self.folder / "ejabberdctl"
        script.write_text(re.sub(r"(?m)^INSTALLUSER=.*$", "INSTALLUSER=", pathlib.Path(shutil.which("ejabberdctl", path="/usr/sbin:/usr/bin")).read_text()))
        script.chmod(0o755)
        return self.command([script, "-d", self.folder, "-s", self.folder / "db", "-l", self.folder / "log", command, *words],
                            {"HOME": str(self.folder), "ERL_DIST_PORT": str(self.setup.api_port + 1), "ERL_EPMD_ADDRESS": "127.0.0.1",
                             "EJABBERD_CONFIG_PATH": str(self.folder / "ejabberd.yml")})

    def api(self, command: str, **arguments):
        request = urllib.request.Request(f"http://127.0.0.1:{self.setup.api_port}/api/{command}", json.dumps(arguments).encode(),
                                         {"Content-Type": "application/json"})

        def answer():
            try:
                with urllib.request.urlopen(request, timeout=30) as response:
                    return response.read().decode() or "ok"
            except urllib.error.HTTPError as error:
                raise Failed(f"ejabberd refused {command}: {error.read().decode(errors='replace')}") from error
            except OSError:
                return None
        return wait_for(f"ejabberd's answer to {command}", answer, alive=self.alive)

    def reload(self) -> None:
        self.api("reload_config")
