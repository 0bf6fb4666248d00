#pragma once
// The log of a worker that is a service: standard error, which systemd puts into its journal.

#include "plugin/engine/engine.h"

#include <string_view>

namespace stox::host {

/// One line, with the level as the journal reads it when it listens (sd-daemon(3)), else in words. Never waits: what nobody reads is
/// left out and counted, and the next line that is taken is preceded by the count. On the loop's thread only.
void write_journal(engine::Level level, std::string_view text, std::string_view domain = {});

}  // namespace stox::host
