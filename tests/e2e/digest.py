"""Digest authentication from the other side, by the standards alone (RFC 7616, RFC 8760)."""
import hashlib
import re

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def hashed(algorithm: str, *parts: str) -> str:
    return hashlib.new(HASHES[algorithm], ":".join(parts).encode()).hexdigest()


def ha1_line(user: str, realm: str, password: str, algorithm: str) -> str:
    return f"{user}:{realm}:{algorithm}:{hashed(algorithm, user, realm, password)}\n"


def parameters(value: str) -> dict[str, str]:
    found = re.findall(r'([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', value.partition(" ")[2])
    return {name.lower(): quoted or plain for name, quoted, plain in found}


def response(algorithm: str, user: str, realm: str, password: str, nonce: str, count: str, cnonce: str, method: str, uri: str) -> str:
    return hashed(algorithm, hashed(algorithm, user, realm, password), nonce, count, cnonce, "auth", hashed(algorithm, method, uri))


def authorization(challenge: str, user: str, password: str, uri: str, method: str = "MESSAGE", count: int = 1) -> str:
    """An Authorization header line that answers the WWW-Authenticate value."""
    asked = parameters(challenge)
    algorithm, realm, nonce, number, cnonce = asked.get("algorithm", "MD5"), asked["realm"], asked["nonce"], f"{count:08x}", "0a4f113b"
    proof = response(algorithm, user, realm, password, nonce, number, cnonce, method, uri)
    return (f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{proof}", '
            f'algorithm={algorithm}, cnonce="{cnonce}", qop=auth, nc={number}\r\n')


def proves(value: str, user: str, password: str, method: str = "MESSAGE") -> bool:
    """Whether an Authorization value shows that its sender knows the password."""
    given = parameters(value)
    expected = response(given.get("algorithm", "MD5"), user, given["realm"], password, given["nonce"], given["nc"], given["cnonce"], method,
                        given["uri"])
    return given["username"] == user and given["response"] == expected
