"""Ad-hoc commands of the gateway (XEP-0050) as a client gives them, by raw stanzas."""
import xml.sax.saxutils as sax

COMMANDS = "{http://jabber.org/protocol/commands}"
DATA = "{jabber:x:data}"
ITEMS = "{http://jabber.org/protocol/disco#items}"
NODE = "urn:stox:admin#"
OWN = "urn:stox:own#"


class Answer:
    """What came back: `error` is a condition or empty."""

    def __init__(self, stanza):
        self.error = stanza["error"]["condition"] if stanza["type"] == "error" else ""
        command = stanza.xml.find(f"{COMMANDS}command")
        self.status = command.get("status") if command is not None else ""
        self.session = command.get("sessionid") if command is not None else ""
        self.notes = [(note.get("type"), note.text) for note in command.findall(f"{COMMANDS}note")] if command is not None else []
        form = command.find(f"{DATA}x") if command is not None else None
        self.fields, self.rows = {}, []
        if form is not None:
            self.fields = values(form)
            self.rows = [values(item) for item in form.findall(f"{DATA}item")]


def values(element) -> dict[str, str]:
    return {field.get("var"): "\n".join(value.text or "" for value in field.findall(f"{DATA}value")) for field in element.findall(f"{DATA}field")}


def listed(client, domain: str) -> list[str]:
    """The words of the commands that it sees."""
    answer = client.iq(domain, "get", f"<query xmlns='{ITEMS[1:-1]}' node='{COMMANDS[1:-1]}'/>")
    return [item.get("node").removeprefix(NODE) for item in answer.xml.iter(f"{ITEMS}item")]


def execute(client, domain: str, word: str, session: str = "", node: str = NODE, **filled_in: str) -> Answer:
    attributes = f"node='{node}{word}'" + (f" sessionid='{session}' action='complete'" if session else " action='execute'")
    fields = "".join(f"<field var='{name}'><value>{sax.escape(value)}</value></field>" for name, value in filled_in.items())
    form = f"<x xmlns='jabber:x:data' type='submit'>{fields}</x>" if session else ""
    return Answer(client.iq(domain, "set", f"<command xmlns='{COMMANDS[1:-1]}' {attributes}>{form}</command>"))


def fill_in(client, domain: str, word: str, **filled_in: str) -> Answer:
    """Execute, the form, and the end of it."""
    form = execute(client, domain, word)
    assert form.status == "executing", (form.error, form.notes)
    assert set(filled_in) <= set(form.fields), form.fields
    return execute(client, domain, word, form.session, **filled_in)
