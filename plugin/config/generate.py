#!/usr/bin/python3 -B
"""Makes of schema.json what others read: the types of ejabberd's module, or the manual page of the options.

Usage: generate.py erlang SCHEMA OUTPUT
       generate.py man SCHEMA OUTPUT VERSION
"""
import json
import pathlib
import sys

# Options that mod_stox.erl knows itself, for their values are needed before the worker has them.
OF_THE_MODULE = {"xmpp_domains"}
LONGEST_TEXT = 4096  # as the worker's own validator has it


class Node:
    """An option and what stands below its word."""

    def __init__(self):
        self.option, self.below = None, {}


def tree(schema: dict, scopes: tuple) -> Node:
    root = Node()
    for option in schema["options"]:
        if option["scope"] not in scopes:
            continue
        node = root
        for word in option["path"].split("."):
            node = node.below.setdefault(word, Node())
        node.option = option
    return root


# --- mod_stox_options.erl

ERLANG = """%% Made of plugin/config/schema.json: which options mod_stox hands to the worker, and what their values may be. The worker judges
%% them again, with what can only be judged of several together.
-module(mod_stox_options).

-export([names/0, type/1, doc/0]).

names() -> [{names}].

{types}

doc() ->
    [{docs}].

text(Expected, Pattern) ->
    and_also(fun(Text) -> re:run(Text, Pattern, [{capture, none}, dollar_endonly]) =:= match end,
             fun(Text) -> io_lib:format("Expected ~ts, got '~ts' instead", [Expected, Text]) end, most_octets({longest}, econf:binary())).

most_octets(Most, Type) ->
    and_also(fun(Text) -> byte_size(Text) =< Most end, fun(_) -> io_lib:format("Longer than ~b octets", [Most]) end, Type).

most(Most, Type) ->
    and_also(fun(Entries) -> length(Entries) =< Most end, fun(_) -> io_lib:format("More than ~b entries", [Most]) end, Type).

one_of(Numbers) ->
    and_also(fun(Number) -> lists:member(Number, Numbers) end, fun(Number) -> io_lib:format("Expected one of ~w, got ~b instead", [Numbers, Number]) end,
             econf:int()).

%% One, a section about one, or a list of both; what is wrong is told of the form that was chosen.
hops(Uri, Section, Most) ->
    One = fun([{_, _} | _] = Options) -> Section(Options);
             (Text) -> Uri(Text)
          end,
    List = most(Most, econf:list(One)),
    fun([{_, _} | _] = Options) -> Section(Options);
       (Several) when is_list(Several) -> List(Several);
       (Text) -> Uri(Text)
    end.

%% As the types of the library fail, so that their combinations know it for a failure.
and_also(Holds, Says, Type) ->
    econf:and_then(Type, fun(Value) ->
                             Holds(Value) orelse yconf:fail(yconf, {invalid_syntax, Says(Value)}),
                             Value
                         end).
"""


def erlang_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def atom(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"


def erlang_scalar(option: dict, schema: dict) -> str:
    if option["type"] == "boolean":
        return "econf:bool()"
    if option["type"] == "integer":
        if "values" in option:
            return f"one_of({json.dumps(option['values'])})"
        return f"econf:int({option['min']}, {option['max']})"
    if "values" in option:
        return f"econf:enum([{', '.join(atom(value) for value in option['values'])}])"
    if "format" in option:
        form = schema["formats"][option["format"]]
        return f"text({binary(form['text'])}, {erlang_text(form['pattern'])})"
    return f"most_octets({option.get('max_octets', LONGEST_TEXT)}, econf:binary())"


def erlang_section(node: Node, schema: dict) -> str:
    words = (f"{atom(word)} => {erlang_type(below, schema)}" for word, below in node.below.items())
    return "econf:options(#{" + ", ".join(words) + "}, [unique])"


def erlang_type(node: Node, schema: dict) -> str:
    option = node.option
    kind = option["type"] if option else "section"
    most = f"most({option['max_entries']}, " if option and "max_entries" in option else ""
    if kind == "section":
        return erlang_section(node, schema)
    if kind == "map":
        return f"{most}econf:map(econf:binary(), {erlang_section(node.below['*'], schema)}, [unique]){')' if most else ''}"
    if kind == "list":
        return f"{most}econf:list_or_single({erlang_scalar(option, schema)}){')' if most else ''}"
    if kind == "hops":  # one URI, a section with one, or a list of both
        return f"hops({erlang_scalar({**option, 'type': 'text'}, schema)}, {erlang_section(node, schema)}, {option['max_entries']})"
    return erlang_scalar(option, schema)


def kind_in_words(option: dict, schema: dict) -> str:
    """What a value is, for people."""
    if "values" in option:
        one = " | ".join(str(value) for value in option["values"])
    elif option["type"] == "integer":
        one = f"{option['min']}..{option['max']}"
    elif "format" in option:
        one = schema["formats"][option["format"]]["text"]
    else:
        one = {"boolean": "true | false", "section": "options", "map": "name: options"}.get(option["type"], "text")
    return {"list": f"list of: {one}", "hops": f"{one}, or a list of those"}.get(option["type"], one)


def make_erlang(schema: dict) -> str:
    root = tree(schema, ("domain", "peer"))
    names = [name for name in root.below if name not in OF_THE_MODULE]
    types = ";\n".join(f"type({name}) -> {erlang_type(root.below[name], schema)}" for name in names) + "."
    docs = ",\n     ".join(
        f"{{{name}, #{{value => {binary(kind_in_words(root.below[name].option, schema))}, desc => {binary(root.below[name].option['help'])}}}}}" for name in names)
    return (ERLANG.replace("{names}", ", ".join(names)).replace("{types}", types).replace("{docs}", docs).replace("{longest}", str(LONGEST_TEXT)))


def binary(text: str) -> str:
    return f"<<{erlang_text(text)}>>"


# --- mod_stox.5

MAN = r""".\" Made of plugin/config/schema.json.
.TH MOD_STOX 5 "" "stox {version}" "stox"
.SH NAME
mod_stox \- options of the SIP gateway in Prosody and ejabberd
.SH SYNOPSIS
.SS Prosody
.nf
stox = { \fIoption of the whole server\fR = \fIvalue\fR; ... }

Component "sip.example.com" "stox"
    stox_\fIoption of a domain\fR = \fIvalue\fR
    stox_peers = { \fIname\fR = { \fIoption of a peer\fR = \fIvalue\fR; ... } }
.fi
.SS ejabberd
.nf
# stox.yml, beside ejabberd.yml
\fIoption of the whole server\fR: \fIvalue\fR

# ejabberd.yml
append_host_config:
  example.com:
    modules:
      mod_stox:
        \fIoption of a domain\fR: \fIvalue\fR
        peers:
          \fIname\fR: {\fIoption of a peer\fR: \fIvalue\fR}
.fi
.SH DESCRIPTION
Every option with what its value may be, its default, what a reload of the configuration does with another value, and how it is
written in Prosody's and in ejabberd's configuration.
.B live
values count at once,
.B new-sessions
for TLS connections that are made from then on,
.B restart
when the worker starts anew.
.PP
A configuration with a fault is refused whole, every fault is told in the server's log with its path, and the one before it stays in
force. A list with one entry needs no brackets.
.SH THE WHOLE SERVER
{engine}
.SH A DOMAIN
In Prosody
.B stox_
stands before each word but
.BR name .
{domain}
.SH A PEER
In the section of its name under
.BR peers .
{peer}
.SH OPTIONS OF THE MODULES
.TP
.BR stox_isolation ", " isolation
.BR process " (the default), " service " or " none :
where the worker runs; Prosody's global section, stox.yml.
.TP
.BR stox_control ", " control
with isolation service: its control socket, by default /run/stox/control.
.TP
.BR stox_worker ", " worker ", " stox_engine ", " engine
absolute paths of stoxd and libstox_engine.so, where they do not stand beside the module.
.TP
.B host
of ejabberd: the domain of the gateway, by default sip.@HOST@.
.TP
.B access_admin
of ejabberd: the access rule of those who administer the domain, by default
.BR configure .
In Prosody
.B admins
says who does.
.SH EXAMPLES
.SS Prosody
.nf
stox = { bind = { "udp:0.0.0.0:5060", "tcp:0.0.0.0:5060" } }

Component "sip.example.com" "stox"
    stox_peers = {
        pbx = { match = { source = { "192.0.2.7" } }, next_hop = "sip:192.0.2.7:5060;transport=tcp" };
    }
.fi
.SS ejabberd
.nf
append_host_config:
  example.com:
    modules:
      mod_stox:
        host: "sip.@HOST@"
        peers:
          pbx: {match: {source: ["192.0.2.7"]}, next_hop: "sip:192.0.2.7:5060;transport=tcp"}
.fi
.SH SEE ALSO
.BR stox (7),
.BR stoxctl (8),
.BR stoxd (8)
"""


def roff(text: str) -> str:
    """A text that is only text, whatever it holds."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti").replace("`", "\\(ga")
    return "\\&" + text if text.startswith((".", "\\(aq")) else text


def example(option: dict, schema: dict):
    """A value that is not the default."""
    if option["type"] == "boolean":
        return not option["default"]
    if option["type"] == "integer" or "values" in option:
        others = [value for value in option.get("values", [option.get("max"), option.get("min")]) if value != option["default"] and [value] != option["default"]]
        one = others[0]
    else:
        one = schema["formats"][option["format"]]["example"] if "format" in option else "Text"
    return [one] if option["type"] == "list" else one


def lua(value) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{word} = {lua(below)}" for word, below in value.items()) + " }"
    if isinstance(value, list):
        return "{ " + ", ".join(lua(entry) for entry in value) + " }"
    return json.dumps(value)


def yaml(value) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{word}: {yaml(below)}" for word, below in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(yaml(entry) for entry in value) + "]"
    return json.dumps(value)


def both_ways(option: dict, schema: dict) -> tuple[str, str]:
    """A line of Prosody's configuration and one of ejabberd's that set the option."""
    words = option["path"].replace("peers.*.", "").split(".")
    value = example(option, schema)
    if option["path"].startswith("peers.*.next_hop.") and words[-1] != "uri":
        value = {"uri": schema["formats"]["next_hop"]["example"], words.pop(): value}
    for word in reversed(words[1:]):
        value = {word: value}
    prefix = "stox_" if option["scope"] == "domain" and words[0] != "name" else ""
    in_prosody = f"{prefix}{words[0]} = {lua(value)}"
    return f"stox = {{ {in_prosody} }}" if option["scope"] == "engine" else in_prosody, f"{words[0]}: {yaml(value)}"


def man_option(option: dict, schema: dict) -> str:
    default = f", default {roff(json.dumps(option['default']))}" if option["default"] not in ("", {}, []) else ""
    lines = [".TP", f".B {roff(option['path'].replace('peers.*.', ''))}", f"{roff(option['help'])}.", ".br",
             f"({roff(kind_in_words(option, schema))}{default}; {roff(option['reload'])})"]
    if option["type"] not in ("section", "map"):
        in_prosody, in_ejabberd = both_ways(option, schema)
        lines += [".br", f"Prosody: {roff(in_prosody)}", ".br", f"ejabberd: {roff(in_ejabberd)}"]
    return "\n".join(lines)


def make_man(schema: dict, version: str) -> str:
    def of(scope):
        return "\n".join(man_option(option, schema) for option in schema["options"] if option["scope"] == scope)
    return MAN.replace("{version}", version).replace("{engine}", of("engine")).replace("{domain}", of("domain")).replace("{peer}", of("peer"))


def main() -> int:
    what, source, output, *version = sys.argv[1:]
    schema = json.loads(pathlib.Path(source).read_text())
    made = make_erlang(schema) if what == "erlang" else make_man(schema, version[0])
    pathlib.Path(output).write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
