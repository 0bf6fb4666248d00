#pragma once
// The certificates of authorities that the host trusts. Reading them takes tens of milliseconds and some megabytes, so all
// domains share one set.

#include <openssl/x509.h>

namespace stox::sip {

/// What OpenSSL's default paths hold (SSL_CERT_FILE and SSL_CERT_DIR name others), read at the first call and whenever the file
/// is another or was written anew, or a directory has got or lost an entry; kept until then, and by whoever takes a reference.
/// Null: no memory. Called on one thread.
X509_STORE* system_trust();

}  // namespace stox::sip
