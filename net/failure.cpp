#include "net/failure.h"

namespace stox::net {

std::string_view to_string(Stage stage) {
    switch (stage) {
        case Stage::no_pvd:
            return "no-pvd";
        case Stage::no_resolver:
            return "no-resolver";
        case Stage::no_name:
            return "no-name";
        case Stage::no_address:
            return "no-address";
        case Stage::no_route:
            return "no-route";
        case Stage::refused:
            return "refused";
        case Stage::timed_out:
            return "timed-out";
        case Stage::policy:
            return "policy";
        case Stage::security:
            return "security";
        case Stage::gone:
            return "gone";
    }
    return "unknown";
}

}  // namespace stox::net
