"""What the gate and the longer runs consist of: one function per part, listed in the order they run."""
import os
import pathlib
import platform

from runner import BUILD, JUNIT, ROOT, Part, Steps

ASAN, RELEASE, TSAN, FUZZ, BENCH = BUILD / "asan", BUILD / "release", BUILD / "tsan", BUILD / "fuzz", BUILD / "bench"
UNIT_NAMES = ("stox_unit", "stox_*_tests")
SERVERS = ("prosody", "ejabberd")
SANITIZED = {"ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
             "UBSAN_OPTIONS": "print_stacktrace=1",
             "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1"}


def binaries(folder: pathlib.Path, *patterns: str) -> list[pathlib.Path]:
    found = {path for pattern in patterns for path in folder.rglob(pattern) if path.is_file() and os.access(path, os.X_OK)}
    return sorted(path for path in found if "CMakeFiles" not in path.parts)


def each(steps: Steps, files: list[pathlib.Path], what: str) -> list[pathlib.Path]:
    """The files; that there is none is a failure, or a part that vanished would pass."""
    if not files:
        steps.record(what, f"{what}: none was built")
    return files


# Building


def build(preset: str, *targets: str):
    def work(steps: Steps) -> None:
        # Another run may have left a cache made by another compiler or at another path: cmake says so and the part fails.
        if steps.run("configure", ["cmake", "--preset", preset]):
            steps.run("build", ["cmake", "--build", BUILD / preset, *(["--target", *targets] if targets else [])])
    return work


def builds() -> list[Part]:
    return [Part("build_asan", build("asan"), 30), Part("build_release", build("release"), 20)]


# Parts without a chat server


def unit_tests(*names: str):
    def work(steps: Steps) -> None:
        for binary in each(steps, binaries(ASAN / "tests", *names), "unit tests"):
            steps.run(binary.name, [binary, f"--gtest_output=xml:{steps.junit(binary.name)}/{binary.name}.xml"], env=SANITIZED)
    return work


def fuzz_replay(steps: Steps) -> None:
    for binary in each(steps, binaries(ASAN / "tests", "stox_replay_*"), "fuzz replays"):
        corpus = ROOT / "tests" / "fuzz" / "corpus" / binary.name.removeprefix("stox_replay_")
        steps.run(binary.name, [binary, corpus], env=SANITIZED)


def arrows(steps: Steps) -> None:
    steps.run("arrows", [ROOT / "tests" / "arrows_test.py", "--junit", steps.junit("arrows") / "arrows.xml"])
    steps.run("units", [ROOT / "tests" / "units_test.py", "--junit", steps.junit("units") / "units.xml"])
    steps.run("conformance_test", [ROOT / "tests" / "conformance_test.py", "--junit", steps.junit("conformance_test") / "conformance_test.xml"])


def made_of_the_schema(steps: Steps) -> None:
    """What the build makes of schema.json for ejabberd and for readers, and the pages beside it."""
    ebin = ASAN / "dist" / "ejabberd" / "stox-0.1" / "ebin"
    steps.run("econf", [ROOT / "tests" / "config" / "econf_test.py", ebin, "--junit", steps.junit("econf") / "econf.xml"])
    steps.run("window", [ROOT / "tests" / "host" / "window_test.py", ASAN / "dist", "--junit", steps.junit("window") / "window.xml"])
    steps.run("manuals", [ROOT / "tests" / "man_test.py", ASAN, "--junit", steps.junit("manuals") / "manuals.xml"])


def hardening(steps: Steps) -> None:
    steps.run("hardening", [ROOT / "tests" / "hardening_test.py", RELEASE / "dist", "--junit", steps.junit("hardening") / "hardening.xml"])


def simulator(seeds: int):
    def work(steps: Steps) -> None:
        for binary in each(steps, binaries(ASAN / "tests", "stox_sim"), "simulator"):
            steps.run("sim", [binary, "--seeds", seeds, "--seconds", 60, "--kept", ROOT / "tests" / "sim" / "kept_seeds",
                              "--junit", steps.junit("sim") / "sim.xml"], env=SANITIZED)
    return work


VALGRIND_TESTS = ("stox_edge_tests", "stox_edge_long_tests", "stox_sip_tests")


def valgrind(steps: Steps) -> None:
    """Also what the SIP library does with its memory, which no sanitizer sees."""
    for binary in each(steps, binaries(BENCH / "tests", *VALGRIND_TESTS), "tests for valgrind"):
        steps.run(binary.name, ["valgrind", "--quiet", "--error-exitcode=9", "--trace-children=yes", binary,
                                f"--gtest_output=xml:{steps.junit('valgrind_' + binary.name)}/{binary.name}.xml"])
    steps.run("hostile", [ROOT / "tests" / "hostile" / "run", "--build", BENCH, "--junit", steps.junit("valgrind_hostile"), "--valgrind",
                          "contacts", "hostile_peers", "mutations", "sequences", "flows"])


def hostile(whole: bool, folder: pathlib.Path = ASAN, names: tuple[str, ...] = ()):
    def work(steps: Steps) -> None:
        steps.run("hostile", [ROOT / "tests" / "hostile" / "run", "--build", folder, "--junit", steps.junit("hostile"), *(["--whole"] if whole else []), *names],
                  env=SANITIZED)
    return work


# Parts with one


def scenarios(server: str, names: list[str]):
    def work(steps: Steps) -> None:
        steps.run(server, [ROOT / "tests" / "e2e" / "run", "--server", server, "--build", ASAN, "--junit", steps.junit(server), *names],
                  env=SANITIZED, as_root=True)
    return work


def try_out(server: str):
    def work(steps: Steps) -> None:
        steps.run(f"try_{server}", [ROOT / "tests" / "try_test.py", "--server", server, "--build", RELEASE,
                                    "--junit", steps.junit(f"try_{server}") / "try.xml"], as_root=True)
    return work


def conformance(steps: Steps) -> None:
    steps.run("conformance", [ROOT / "tests" / "conformance.py", "--junit", JUNIT])


def gate() -> list[Part]:
    return [*builds(), Part("fuzz_syntax", fuzz_syntax, 10), *without_servers(seeds=5_000), Part("sip_hostile", hostile(whole=False), 8),
            *with_servers(), Part("conformance", conformance, 1)]


def without_servers(seeds: int) -> list[Part]:
    return [Part("unit", unit_tests(*UNIT_NAMES), 10), Part("fuzz_replay", fuzz_replay, 5), Part("arrows", arrows, 1),
            Part("hardening", hardening, 1), Part("sim", simulator(seeds), 30),
            Part("made_of_the_schema", made_of_the_schema, 2)]


def with_servers() -> list[Part]:
    return [*(Part(f"e2e_{server}", scenarios(server, []), 15, needs_root=True) for server in SERVERS),
            *(Part(f"try_{server}", try_out(server), 3, needs_root=True) for server in SERVERS)]


def unit() -> list[Part]:
    return [Part("build_asan", build("asan"), 30), *without_servers(seeds=5_000)[:3]]


def e2e(names: list[str]) -> list[Part]:
    return [Part("build_asan", build("asan"), 30),
            *(Part(f"e2e_{server}", scenarios(server, names), 45, needs_root=True) for server in SERVERS)]


# The longer runs


def tsan_unit(steps: Steps) -> None:
    # ThreadSanitizer of GCC 12 cannot map its shadow under the address randomisation of recent kernels.
    fixed = ["setarch", platform.machine(), "-R"]
    for binary in each(steps, binaries(TSAN / "tests", *UNIT_NAMES), "unit tests"):
        steps.run(binary.name, [*fixed, binary, f"--gtest_output=xml:{steps.junit(binary.name)}/{binary.name}.xml"], env=SANITIZED)


def fuzz_target(name: str, seconds: int):
    def work(steps: Steps) -> None:
        found, corpus = BUILD / "fuzz-findings" / name, BUILD / "fuzz-corpus" / name
        for folder in (found, corpus):
            folder.mkdir(parents=True, exist_ok=True)
        for binary in each(steps, binaries(FUZZ / "tests", f"stox_fuzz_{name}"), f"fuzz target {name}"):
            steps.run(binary.name, [binary, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1",
                                    f"-artifact_prefix={found}/", corpus, ROOT / "tests" / "fuzz" / "corpus" / name], env=SANITIZED)
    return work


def fuzz_names() -> list[str]:
    return sorted(file.stem.removeprefix("fuzz_") for file in (ROOT / "tests" / "fuzz").glob("fuzz_*.cpp"))


def fuzz_syntax(steps: Steps) -> None:
    """clang is not GCC: what only one of them takes is found before the next long run."""
    if steps.run("configure", ["cmake", "--preset", "fuzz"]):
        steps.run("syntax", [ROOT / "tests" / "gate" / "syntax.py", FUZZ, *(f"stox_fuzz_{name}" for name in fuzz_names())])


def fuzz(seconds: int) -> list[Part]:
    minutes = min(45.0, seconds / 60 + 2)
    return [Part("build_fuzz", build("fuzz", *(f"stox_fuzz_{name}" for name in fuzz_names())), 30),
            *(Part(f"fuzz_{name}", fuzz_target(name, seconds), minutes) for name in fuzz_names())]


def full(fuzz_seconds: int) -> list[Part]:
    return [*builds(), *without_servers(seeds=20_000), *sip(), *with_servers(), Part("build_tsan", build("tsan"), 45), Part("tsan_unit", tsan_unit, 45),
            *ledger(), *hosting(), *presence(), *fuzz(fuzz_seconds), Part("conformance", conformance, 1)]


def ledger() -> list[Part]:
    """`tests/run full ledger`: 10,000 messages each way, 50 kills of the worker and 20 of each server."""
    return [Part(f"ledger_{server}", scenarios(server, ["--full", "test_whole_ledger"]), 45, needs_root=True) for server in SERVERS]


def hosting() -> list[Part]:
    """`tests/run full hosting`: a worker that is killed, hangs or has too much memory, 20 times; 200 mutated configurations."""
    return [Part(f"hosting_{server}", scenarios(server, ["--full", "test_worker_faults", "test_reload"]), 45, needs_root=True)
            for server in SERVERS]


def presence() -> list[Part]:
    """`tests/run full presence`: 1,000 subscriptions through kills of worker and server; a watcher's connection through silence."""
    return [Part(f"presence_{server}", scenarios(server, ["--full", "test_a_storm_of_a_thousand", "test_a_connection_that"]), 20, needs_root=True)
            for server in SERVERS]


def sip() -> list[Part]:
    """Whole, for `tests/run full sip`: what the gate runs in the unit part or shortened."""
    return [Part("sip_unit", unit_tests("stox_sip_tests", "stox_edge_tests", "stox_edge_long_tests", "stox_dialog_tests"), 10),
            Part("sip_hostile", hostile(whole=True), 90),
            Part("sip_worker", hostile(whole=True, folder=RELEASE, names=("test_worker",)), 30),  # what is shipped
            Part("sip_build_plain", build("bench", *VALGRIND_TESTS, "stox_sip_ua"), 20), Part("sip_valgrind", valgrind, 30)]


MEASURED = ("stox_kamailio_shim", "stox_message_load", "stox_modules", "stoxd", "stox_sip_load", "stox_nta_bare", "stox_sip_ua", "stox_xml_bench")


def benches() -> list[Part]:
    """Every executable of tests/bench is one measurement; it gets the build folder as its argument."""
    def work(program: pathlib.Path):
        def measure(steps: Steps) -> None:
            if steps.run(program.stem, [program, BENCH], as_root=True):
                print(steps.log.read_text(), flush=True)
        return measure
    programs = sorted(path for path in (ROOT / "tests" / "bench").glob("*") if path.is_file() and os.access(path, os.X_OK))
    measured = [Part(f"bench_{path.stem}", work(path), 45, needs_root=True) for path in programs]
    return [Part("build_bench", build("bench", *MEASURED), 20), *measured] if measured else []
